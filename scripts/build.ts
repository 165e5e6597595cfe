// Owns: `npm run build`: packages/plasma-sync/dist, a folder that can be published as it is.
// The workspace's own package.json points at TypeScript sources, so that examples and tests need no build step;
// the published one, written here, points at the compiled files.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";

process.chdir(`${import.meta.dirname}/..`);
const PACKAGE = "packages/plasma-sync";
const DIST = `${PACKAGE}/dist`;

rmSync(DIST, { recursive: true, force: true });
const { status } = spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "-b", PACKAGE], {
  stdio: "inherit",
});
if (status === 0) {
  writeFileSync(`${DIST}/package.json`, publishedPackage());
  for (const file of ["README.md", "LICENSE"]) if (existsSync(file)) cpSync(file, `${DIST}/${file}`);
  rmSync(`${DIST}/.tsbuildinfo`);
  console.log(`built ${DIST}`);
}
process.exitCode = status ?? 1;

/** `./src/x/index.ts` → `./x/index.js` with its declarations; "private" is what kept the sources from being published. */
function publishedPackage(): string {
  const { private: _, exports: entries, ...rest } = JSON.parse(readFileSync(`${PACKAGE}/package.json`, "utf8"));
  const compiled = Object.entries<string>(entries).map(([entry, source]) => {
    const stem = source.replace("./src/", "./").replace(/\.tsx?$/, "");
    return [entry, { types: `${stem}.d.ts`, default: `${stem}.js` }];
  });
  return `${JSON.stringify({ ...rest, exports: Object.fromEntries(compiled) }, null, 2)}\n`;
}
