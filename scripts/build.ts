// Owns: `npm run build`: packages/plasma-sync/dist, a folder that can be published as it is.
// The workspace's own package.json points at TypeScript sources, so that examples and tests need no build step;
// the published one, written here, points at the compiled files.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, globSync, readFileSync, rmSync, writeFileSync } from "node:fs";

process.chdir(`${import.meta.dirname}/..`);
const PACKAGE = "packages/plasma-sync";
const DIST = `${PACKAGE}/dist`;

rmSync(DIST, { recursive: true, force: true });
const { status } = spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "-b", PACKAGE], {
  stdio: "inherit",
});
if (status === 0) {
  pointWorkersAtCompiledFiles();
  writeFileSync(`${DIST}/package.json`, publishedPackage());
  for (const file of ["README.md", "LICENSE"]) if (existsSync(file)) cpSync(file, `${DIST}/${file}`);
  rmSync(`${DIST}/.tsbuildinfo`);
  console.log(`built ${DIST}`);
}
process.exitCode = status ?? 1;

/** `new Worker(new URL("./x.ts", import.meta.url))`: the compiler rewrites imports, not the URLs of workers. */
function pointWorkersAtCompiledFiles(): void {
  for (const path of globSync(`${DIST}/**/*.js`)) {
    const code = readFileSync(path, "utf8");
    const compiled = code.replace(/(new URL\("\.[^"]*)\.ts(", import\.meta\.url\))/g, "$1.js$2");
    if (compiled !== code) writeFileSync(path, compiled);
  }
}

/** `./src/x/index.ts` → `./x/index.js` with its declarations; "private" is what kept the sources from being published. */
function publishedPackage(): string {
  const { private: _, exports: entries, ...rest } = JSON.parse(readFileSync(`${PACKAGE}/package.json`, "utf8"));
  const compiled = Object.entries<string>(entries).map(([entry, source]) => {
    const stem = source.replace("./src/", "./").replace(/\.tsx?$/, "");
    return [entry, { types: `${stem}.d.ts`, default: `${stem}.js` }];
  });
  return `${JSON.stringify({ ...rest, exports: Object.fromEntries(compiled) }, null, 2)}\n`;
}
