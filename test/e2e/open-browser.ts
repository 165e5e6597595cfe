// Owns: starting Chromium for tests that drive pages from Node.
import { type Browser, type BrowserContext, chromium } from "playwright-core";
import { chromiumLaunchOptions } from "../../scripts/chromium.mjs";

/** A browser whose contexts keep IndexedDB in memory: good for behaviour, not for durability or speed. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch(chromiumLaunchOptions());
}

/** A browser with its profile on disk: what survives `close()` here survives a restart of a real browser. */
export function openProfile(folder: string): Promise<BrowserContext> {
  return chromium.launchPersistentContext(folder, chromiumLaunchOptions());
}
