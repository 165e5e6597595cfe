// The annotations that reference cycles need, as the docs show them: a self reference, mutual references, and a condition
// that names its own table.
import type { Expr } from "../query/ast.ts";
import { eq } from "../query/expressions.ts";
import { id, ref, text, type AnyColumn } from "./column.ts";
import { defineSchema } from "./schema.ts";
import { table, type InferRow } from "./table.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>(): void => undefined;

interface Ctx {
  readonly userId: string;
}

const folders = table("folders", {
  id: id(),
  name: text(),
  parentId: ref((): AnyColumn => folders.id, { onDelete: "cascade" }).nullable(),
});

const teams = table("teams", { id: id(), leaderId: ref((): AnyColumn => people.id).nullable() });
const people = table("people", { id: id(), name: text(), teamId: ref((): AnyColumn => teams.id) });

/** As a table's `readWhere` will be written. */
const ownFolder = (ctx: Ctx): Expr => eq(folders.parentId, ctx.userId);

const notes = table(
  "notes",
  { id: id(), ownerId: ref(() => people.id), body: text().nullable() },
  {
    auth: { read: (ctx: Ctx, row) => row.ownerId === ctx.userId, write: (ctx, row) => row.body !== ctx.userId },
    indexes: (t) => [[t.ownerId, t.body]],
    unique: (t) => [[t.ownerId, t.body]],
  },
);

export const schema = defineSchema({ folders, teams, people, notes });
export const condition = ownFolder({ userId: "u1" });

holds<
  Same<InferRow<typeof folders>, { readonly id: string; readonly name: string; readonly parentId: string | null }>
>();
holds<Same<InferRow<typeof teams>, { readonly id: string; readonly leaderId: string | null }>>();
holds<Same<InferRow<typeof people>, { readonly id: string; readonly name: string; readonly teamId: string }>>();
holds<Same<(typeof schema)["tables"]["notes"], typeof notes>>();
