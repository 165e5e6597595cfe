// One dev server for page, Worker and local D1. PLASMA_STATE_DIR moves the database, so that tests have their own.
import { cloudflare } from "@cloudflare/vite-plugin";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Local work needs no network.
process.env["CLOUDFLARE_CF_FETCH_ENABLED"] ??= "false";
process.env["WRANGLER_SEND_METRICS"] ??= "false";

const stateDir = process.env["PLASMA_STATE_DIR"];

export default defineConfig({
  plugins: [react(), cloudflare(stateDir === undefined ? {} : { persistState: { path: stateDir } })],
  server: { host: "127.0.0.1" },
  // Known from the start: a dependency that Vite meets later reloads the page under its user.
  optimizeDeps: {
    include: ["react", "react/jsx-dev-runtime", "react-dom/client", "plasma-sync > @noble/hashes/sha2.js"],
  },
});
