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

/** A browser that nothing drives: it shows the pages that it is told to. */
export interface BareBrowser {
  /** Where its DevTools answer. */
  readonly devtoolsURL: string;
  /** Opens a tab. */
  open(url: string): Promise<void>;
  kill(): Promise<void>;
}

export async function startBrowser(profile: string): Promise<KillableBrowser> {
  const { devtoolsURL, kill } = await startBareBrowser(profile);
  try {
    const connected = await chromium.connectOverCDP(devtoolsURL);
    return { context: must(connected.contexts()[0], "a browser with a profile has one context"), kill };
  } catch (error) {
    await kill();
    throw error;
  }
}

export async function startBareBrowser(profile: string): Promise<BareBrowser> {
  const { executablePath, args } = chromiumLaunchOptions();
  const portFile = join(profile, "DevToolsActivePort");
  rmSync(portFile, { force: true });
  const child = spawn(
    must(executablePath ?? chromium.executablePath(), "a Chromium is there"),
    [...args, "--headless", "--remote-debugging-port=0", `--user-data-dir=${profile}`, "--no-first-run", "about:blank"],
    // A process group of its own, so that all its processes die in one instant.
    { stdio: "ignore", detached: true },
  );
  try {
    const devtoolsURL = `http://127.0.0.1:${await portOf(portFile)}`;
    const open = async (url: string) => {
      await fetch(`${devtoolsURL}/json/new?${encodeURIComponent(url)}`, { method: "PUT" });
    };
    return { devtoolsURL, open, kill: () => kill(child) };
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
  process.kill(-must(child.pid, "a process that runs has an id"), "SIGKILL");
  await ended;
}
