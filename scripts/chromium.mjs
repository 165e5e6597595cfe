// Owns: which Chromium the tests, benches and setup use. Dependency-free, and runs on Node 20.
// Order: CHROMIUM_PATH, the places where systems put it, the PATH, then what Playwright downloaded.
import { accessSync, constants, existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join } from "node:path";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/snap/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/** The path of a Chromium that can be started, or undefined when there is none. */
export function findChromium() {
  const asked = process.env.CHROMIUM_PATH;
  if (asked) return isExecutable(asked) ? asked : undefined;
  return [...PLACES, ...onPath(), ...fromPlaywright()].find(isExecutable);
}

/** Launch options for playwright-core: `chromium.launch(chromiumLaunchOptions())`. Root needs --no-sandbox. */
export function chromiumLaunchOptions() {
  const executablePath = findChromium();
  return {
    ...(executablePath === undefined ? {} : { executablePath }),
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  };
}

function onPath() {
  const folders = (process.env.PATH ?? "").split(delimiter).filter(Boolean);
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name)));
}

/** Playwright keeps `chromium-NNNN/<platform>/chrome` in a cache folder; the newest comes first. */
function fromPlaywright() {
  const asked = process.env.PLAYWRIGHT_BROWSERS_PATH;
  const caches = [
    ...(asked ? [asked] : []),
    join(homedir(), ".cache/ms-playwright"),
    join(homedir(), "Library/Caches/ms-playwright"),
    join(homedir(), "AppData/Local/ms-playwright"),
  ].filter((cache) => existsSync(cache));
  const inside = [
    "chrome-linux/chrome",
    "chrome-linux64/chrome",
    "chrome-linux/headless_shell",
    "chrome-mac/Chromium.app/Contents/MacOS/Chromium",
    "chrome-mac-arm64/Chromium.app/Contents/MacOS/Chromium",
    "chrome-win/chrome.exe",
    "chrome-win64/chrome.exe",
  ];
  return caches.flatMap((cache) =>
    readdirSync(cache)
      .filter((name) => name.startsWith("chromium"))
      .sort((a, b) => b.localeCompare(a, "en", { numeric: true }))
      .flatMap((name) => inside.map((path) => join(cache, name, path))),
  );
}

/** @param {string} path */
function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // Absent or not executable is the answer here, not a fault.
  }
}
