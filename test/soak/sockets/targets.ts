// Owns: the servers that are measured, each as a process whose memory and time can be read.

import { execFileSync, fork, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Target {
  readonly name: string;
  /** Of the sync server: `http://…/sync`. */
  readonly endpoint: string;
  readonly pid: number;
  close(): Promise<void>;
}

export async function startNode(): Promise<Target> {
  const child = fork(`${import.meta.dirname}/node-server.ts`, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  process.once("exit", () => child.kill("SIGKILL"));
  const port = await new Promise<number>((resolve) =>
    child.once("message", (message) => resolve((message as { port: number }).port)),
  );
  const close = async () => void child.kill("SIGKILL");
  return { name: "Node hub", endpoint: `http://127.0.0.1:${port}/node/sync`, pid: child.pid ?? 0, close };
}

/** Each with a workerd of its own, and nothing before it: what `wrangler dev` puts there would be measured too. */
export async function startWorker(name: string, path: "object" | "beside"): Promise<Target> {
  const folder = mkdtempSync(join(tmpdir(), "plasma-sockets-"));
  const config = `${import.meta.dirname}/wrangler.jsonc`;
  execFileSync(process.execPath, [wrangler, "deploy", "--dry-run", "--config", config, "--outdir", folder]);
  const port = await freePort();
  writeFileSync(join(folder, "config.capnp"), workerdConfig(port, folder));
  const child = spawn(workerd, ["serve", join(folder, "config.capnp")], { stdio: "inherit" });
  process.once("exit", () => child.kill("SIGKILL"));
  const origin = `http://127.0.0.1:${port}`;
  while (
    !(await fetch(origin).then(
      () => true,
      () => false,
    ))
  )
    await new Promise((resolve) => setTimeout(resolve, 50));
  const close = async () => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true });
  };
  return { name, endpoint: `${origin}/${path}/sync`, pid: child.pid ?? 0, close };
}

const pathTo = (module: string) => fileURLToPath(new URL(`../../../node_modules/${module}`, import.meta.url));
const wrangler = pathTo("wrangler/bin/wrangler.js");
// The program itself; the package's script starts it as a child.
const workerd = process.env["WORKERD_PATH"] ?? pathTo("@cloudflare/workerd-linux-64/bin/workerd");

const workerdConfig = (port: number, folder: string) => `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "disk", disk = (path = "${folder}", writable = true)),
  ],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "worker.js")],
  compatibilityDate = "2026-10-01",
  durableObjectNamespaces = [
    (className = "Room", uniqueKey = "room", enableSql = true),
    (className = "SyncCoordinator", uniqueKey = "coordinator", enableSql = true),
  ],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [
    (name = "ROOM", durableObjectNamespace = "Room"),
    (name = "COORDINATOR", durableObjectNamespace = "SyncCoordinator"),
  ],
);
`;

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

/** Resident memory. */
export function residentBytes(pid: number): number {
  const [, kiB = "0"] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kiB) * 1024;
}

/** Processor time that the process has used. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  const ticksPerSecond = 100;
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1000;
}
