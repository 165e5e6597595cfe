// Owns: a Chromium with a profile on disk that a test may kill: playwright does not hand out the process of one with a profile.
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { chromium, type BrowserContext } from "playwright-core";
import { must } from "../../packages/plasma-sync/src/core/lib/assert.ts";
import { chromiumLaunchOptions } from "../../scripts/chromium.mjs";

const START_MS_MAX = 60_000;

export interface KillableBrowser {
  readonly context: BrowserContext;
  /** Ends it at once, as a crash would (SIGKILL); does nothing when it has ended. */
  kill(): Promise<void>;
}

export async function startBrowser(profile: string): Promise<KillableBrowser> {
  const { executablePath, args } = chromiumLaunchOptions();
  const portFile = join(profile, "DevToolsActivePort");
  rmSync(portFile, { force: true });
  const child = spawn(
    must(executablePath ?? chromium.executablePath(), "a Chromium is there"),
    [...args, "--headless", "--remote-debugging-port=0", `--user-data-dir=${profile}`, "--no-first-run", "about:blank"],
    { stdio: "ignore" },
  );
  try {
    const connected = await chromium.connectOverCDP(`http://127.0.0.1:${await portOf(portFile)}`);
    const context = must(connected.contexts()[0], "a browser with a profile has one context");
    return { context, kill: () => kill(child) };
  } catch (error) {
    await kill(child);
    throw error;
  }
}

/** The port that it has written down. */
async function portOf(file: string): Promise<string> {
  const giveUpAtMs = Date.now() + START_MS_MAX;
  for (;;) {
    try {
      const [port = ""] = readFileSync(file, "utf8").split("\n");
      if (port !== "") return port;
    } catch (error) {
      // Not there yet.
      if (Date.now() > giveUpAtMs) throw error;
    }
    await delay(50);
  }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}
