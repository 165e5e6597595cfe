// The page alone: `npm run notes` needs nothing else. start.ts adds a way to the sync server where there is one.
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  server: { host: "127.0.0.1" },
  // Known from the start: a dependency that Vite meets later reloads the page under its user.
  optimizeDeps: {
    include: ["react", "react/jsx-dev-runtime", "react-dom/client", "@noble/hashes/sha2.js"],
  },
});
