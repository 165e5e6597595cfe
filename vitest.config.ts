// Owns: which tests run where. Four projects, told apart by file name (STYLE: tests live beside the code):
//   node     *.test.ts(x)          Node 24
//   workerd  *.workerd.test.ts     the real Workers runtime, with a D1 binding `DB` (test/workerd/wrangler.jsonc)
//   browser  *.browser.test.ts(x)  real Chromium
//   e2e      test/e2e/*.e2e.test.ts  Node drives Chromium against a running example
import { fileURLToPath } from "node:url";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { playwright } from "@vitest/browser-playwright";
import { defineConfig } from "vitest/config";
import { chromiumLaunchOptions } from "./scripts/chromium.mjs";
import { findPostgres } from "./scripts/postgres.mjs";

const OTHER_PLACES = ["**/node_modules/**", "**/dist/**", "**/.wrangler/**"];
const NOT_NODE = ["**/*.workerd.test.ts", "**/*.browser.test.{ts,tsx}", "**/*.e2e.test.ts"];

// Local workerd needs no network; keep it from looking for one.
Object.assign(process.env, {
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_HIDE_BANNER: "true",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
});

/** Where tests find the programs of Postgres; without them, those that need it fail. */
const postgres = findPostgres();

/** Tests never assert time; on a busy machine the slowest (fuzz, faults at every statement) take many seconds. */
const TEST_MS_MAX = 60_000;

export default defineConfig({
  test: {
    // Known fault of this pin: with the module cache on, workerd projects of vitest 5 fail to load.
    fsModuleCache: false,
    projects: [
      {
        test: {
          name: "node",
          testTimeout: TEST_MS_MAX,
          env: postgres === undefined ? {} : { POSTGRES_BIN: postgres },
          include: [
            "packages/*/src/**/*.test.{ts,tsx}",
            "scripts/**/*.test.ts",
            "test/**/*.test.ts",
            "examples/*/test/**/*.test.ts",
          ],
          exclude: [...OTHER_PLACES, ...NOT_NODE],
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: fileURLToPath(new URL("./test/workerd/wrangler.jsonc", import.meta.url)) },
          }),
        ],
        test: {
          name: "workerd",
          testTimeout: TEST_MS_MAX,
          include: ["packages/*/src/**/*.workerd.test.ts", "test/**/*.workerd.test.ts"],
          exclude: OTHER_PLACES,
        },
      },
      {
        // Found before the first test: a dependency that Vite meets later reloads the page in the middle of a test.
        optimizeDeps: {
          include: [
            "@noble/hashes/sha2.js",
            "react",
            "react/jsx-dev-runtime",
            "react-dom",
            "react-dom/client",
            "fast-check",
          ],
        },
        test: {
          name: "browser",
          testTimeout: TEST_MS_MAX,
          include: ["packages/*/src/**/*.browser.test.{ts,tsx}", "test/**/*.browser.test.{ts,tsx}"],
          exclude: OTHER_PLACES,
          browser: {
            enabled: true,
            headless: true,
            screenshotFailures: false,
            provider: playwright({ launchOptions: chromiumLaunchOptions() }),
            instances: [{ browser: "chromium" }],
          },
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.e2e.test.ts"],
          exclude: OTHER_PLACES,
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
