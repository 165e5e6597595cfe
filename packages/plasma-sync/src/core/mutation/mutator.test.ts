import { describe, expect, it } from "vitest";
import { z } from "zod";
import { defineMutators, MUTATORS } from "./mutator.ts";

const define = (forms: object) => defineMutators<never, never>()(forms as never);

describe("defineMutators", () => {
  it("takes functions and { args, run }", () => {
    const args = z.object({ id: z.string() });
    const run = () => undefined;
    const { byName } = define({ plain: run, checked: { args, run } })[MUTATORS];
    expect(byName.get("plain")).toEqual({ args: undefined, run });
    expect(byName.get("checked")).toEqual({ args, run });
  });

  it("refuses what is neither, with the mutator's name and what to write", () => {
    for (const form of [5, null, undefined, {}, { run: 5 }, { args: z.string() }]) {
      expect(() => define({ add: form })).toThrow(/"add".*write a function, or \{ args, run \}/);
    }
    for (const args of [{}, "string", null, () => true]) {
      expect(() => define({ add: { args, run: () => undefined } })).toThrow(
        /"add".*Standard Schema.*\[mutation\/definition\]/,
      );
    }
  });
});
