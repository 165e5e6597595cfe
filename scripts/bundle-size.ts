// Owns: how large a client is in an app's bundle (TARGETS `bundle`): what the page imports of it, minified and gzipped, without what
// loads by `import()`: an app pays for that only when it uses it.

import { globSync, readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { rolldown } from "rolldown";
import { parseSync } from "rolldown/utils";

const ROOT = `${import.meta.dirname}/..`;
const ENTRIES = /^plasma-sync(\/(core|client|react))?$/;
const QUERY_ENGINE = /\/client\/ivm\//;
const REACT = /^react/;

/** Names to export, by the module that has them. */
export type Imports = ReadonlyMap<string, ReadonlySet<string>>;

export interface ClientSize {
  readonly allKiB: number;
  readonly withoutQueryEngineKiB: number;
}

/** The client as the todo app imports it, React excluded. */
export async function clientSize(): Promise<ClientSize> {
  const imports = todoImports();
  return {
    allKiB: await bundleKiB(imports, { external: [REACT], from: `${ROOT}/examples/todo` }),
    withoutQueryEngineKiB: await bundleKiB(imports, { external: [REACT, QUERY_ENGINE], from: `${ROOT}/examples/todo` }),
  };
}

/** Entry → the values that the todo app's page takes from it. */
function todoImports(): Imports {
  const found = new Map<string, Set<string>>();
  for (const path of globSync(`${ROOT}/examples/todo/src/**/*.{ts,tsx}`)) {
    const { module } = parseSync(path, readFileSync(path, "utf8"));
    for (const { moduleRequest, entries } of module.staticImports) {
      if (!ENTRIES.test(moduleRequest.value)) continue;
      const names = found.get(moduleRequest.value) ?? new Set<string>();
      for (const { importName, isType } of entries) if (!isType && importName.name) names.add(importName.name);
      if (names.size > 0) found.set(moduleRequest.value, names);
    }
  }
  if (!found.has("plasma-sync/client"))
    throw new Error("size: the todo app does not import plasma-sync/client, so there is nothing to measure");
  return found;
}

interface Bundle {
  readonly external: RegExp[];
  /** The folder of the app: its packages are found from there. */
  readonly from: string;
}

/** KiB, minified and gzipped, of what loads at once in a page that imports these names. */
export async function bundleKiB(names: Imports, { external, from }: Bundle): Promise<number> {
  const lines = [...names].map(([entry, wanted]) => `export { ${[...wanted].sort().join(", ")} } from "${entry}";`);
  const bundle = await rolldown({
    input: "virtual:page",
    external,
    platform: "browser",
    // As an app's build does: what the page shares with chunks that load later stays in the page's own file.
    preserveEntrySignatures: "allow-extension",
    onLog(_level, log) {
      if (log.code === "UNRESOLVED_IMPORT") throw new Error(log.message);
    },
    plugins: [
      {
        name: "page-imports",
        resolveId: (id) => (id === "virtual:page" ? `${from}/size-entry.ts` : null),
        load: (id) => (id.endsWith("/size-entry.ts") ? lines.join("\n") : null),
      },
    ],
  });
  const { output } = await bundle.generate({ format: "esm", minify: true });
  await bundle.close();
  const chunks = new Map(output.filter((file) => file.type === "chunk").map((chunk) => [chunk.fileName, chunk]));
  const loaded = new Set([...chunks.values()].filter((chunk) => chunk.isEntry).map((chunk) => chunk.fileName));
  for (const name of loaded) for (const next of chunks.get(name)?.imports ?? []) if (chunks.has(next)) loaded.add(next);
  const bytes = [...loaded].map((name) => gzipSync(chunks.get(name)?.code ?? "", { level: 9 }).length);
  return bytes.reduce((sum, size) => sum + size, 0) / 1024;
}
