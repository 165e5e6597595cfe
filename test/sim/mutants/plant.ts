// Owns: planting one bug while modules load: `PLANTED_BUG=<name> node --import ./test/sim/mutants/plant.ts <program>`.
// The sources on disk stay as they are, and nothing in shipped code knows of it.

import { registerHooks } from "node:module";
import { bugs } from "./bugs.ts";
import { SOURCE, withBug } from "./planted-bug.ts";

const name = process.env["PLANTED_BUG"] ?? "";
const bug = bugs.find((one) => one.name === name);
if (bug === undefined) throw new RangeError(`No planted bug is called "${name}".`);

registerHooks({
  load: (url, context, nextLoad) => {
    const loaded = nextLoad(url, context);
    const file = url.startsWith(SOURCE.href) ? url.slice(SOURCE.href.length) : null;
    if (file === null || !bug.edits.some((edit) => edit.file === file)) return loaded;
    const { source } = loaded;
    const text = typeof source === "string" ? source : new TextDecoder().decode(source);
    return { ...loaded, source: withBug(bug, file, text) };
  },
});
