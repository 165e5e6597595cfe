// Owns: the todo app's dev server for tests: page, Worker and local D1 on one port.
// The app's Vite config keeps the state of D1 under PLASMA_STATE_DIR when that is set.
import { fileURLToPath } from "node:url";
import { startApp, type AppProcess } from "./app-process.ts";

/** Between pulls of a page: most of what these tests wait for is the other person's next pull. */
const POLL_MS = "300";

export interface TodoServer extends AppProcess {
  /** Where the database is, for looking at what has arrived. */
  readonly stateDir: string;
}

/** Starts the todo app and waits until it answers. Throws with the server's output when it does not. */
export async function startTodoServer(env: Readonly<Record<string, string>> = {}): Promise<TodoServer> {
  const vite = fileURLToPath(new URL("../../node_modules/vite/bin/vite.js", import.meta.url));
  const app = await startApp({
    example: "todo",
    program: (port) => [vite, "--host", "127.0.0.1", "--port", String(port), "--strictPort"],
    env: (folder) => ({ VITE_POLL_MS: POLL_MS, ...env, PLASMA_STATE_DIR: folder }),
  });
  return { ...app, stateDir: app.folder };
}
