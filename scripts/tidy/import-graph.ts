// Owns: following relative imports between files, and finding cycles among them.
import { posix } from "node:path";
import type { SourceFile } from "./source-file.ts";

/** The repository path that a relative specifier of a file names. */
export function resolveImport(fromPath: string, specifier: string): string {
  return posix.normalize(posix.join(posix.dirname(fromPath), specifier));
}

/** Import cycles, type imports included. Each is a list of paths in import order, begun at its smallest path. */
export function findCycles(files: readonly SourceFile[]): string[][] {
  const known = new Set(files.map((file) => file.path));
  const edges = new Map(files.map((file) => [file.path, targets(file, known)]));
  const done = new Set<string>();
  const trail: string[] = [];
  const cycles = new Map<string, string[]>();

  function follow(path: string): void {
    const at = trail.indexOf(path);
    if (at >= 0) {
      const cycle = rotate(trail.slice(at));
      cycles.set(cycle.join(" "), cycle);
      return;
    }
    if (done.has(path)) return;
    trail.push(path);
    for (const target of edges.get(path) ?? []) follow(target);
    trail.pop();
    done.add(path);
  }

  for (const path of [...known].sort()) follow(path);
  return [...cycles.values()];
}

function targets(file: SourceFile, known: ReadonlySet<string>): string[] {
  const relative = file.imports.filter((found) => found.text.startsWith("."));
  return [...new Set(relative.map((found) => resolveImport(file.path, found.text)))].filter((path) => known.has(path));
}

function rotate(cycle: string[]): string[] {
  const first = cycle.indexOf([...cycle].sort()[0] ?? "");
  return [...cycle.slice(first), ...cycle.slice(0, first)];
}
