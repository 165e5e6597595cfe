// The annotations that reference cycles need, as the docs show them: a self reference, mutual references, and a read rule
// that names its own table or a later one. And what the rules of a table are given and give.
import type { Expr } from "../query/ast.ts";
import { and, eq, exists } from "../query/expressions.ts";
import { select } from "../query/select-builder.ts";
import { id, int, ref, text, type AnyColumn } from "./column.ts";
import { defineSchema } from "./schema.ts";
import { table, type InferRow } from "./table.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>(): void => undefined;

interface Ctx {
  readonly userId: string;
}

const folders = table(
  "folders",
  { id: id(), name: text(), parentId: ref((): AnyColumn => folders.id, { onDelete: "cascade" }).nullable() },
  {
    auth: {
      readWhere: (ctx: Ctx): Expr =>
        exists(
          select()
            .from(seats)
            .where(and(eq(seats.folderId, folders.id), eq(seats.userId, ctx.userId))),
        ),
    },
  },
);
const seats = table("seats", { id: id(), folderId: ref(() => folders.id), userId: text() });

const teams = table("teams", { id: id(), leaderId: ref((): AnyColumn => people.id).nullable() });
const people = table("people", { id: id(), name: text(), teamId: ref((): AnyColumn => teams.id) });

const merged = table(
  "merged",
  { id: id(), words: text(), count: int().nullable() },
  {
    resolveConflict: ({ base, current, incoming, ctx }) => {
      holds<Same<typeof base, InferRow<typeof merged> | null>>();
      holds<Same<typeof current, typeof incoming>>();
      const { userId } = ctx as Ctx;
      return { ...incoming, words: `${current.words} ${userId}`, count: base?.count ?? null };
    },
  },
);

// @ts-expect-error -- a conflict ends in a whole row
table("half", { id: id(), words: text() }, { resolveConflict: ({ current }) => ({ id: current.id }) });

// @ts-expect-error -- a read rule gives a condition
table("wrong", { id: id() }, { auth: { readWhere: (_ctx: Ctx): boolean => true } });

const notes = table(
  "notes",
  { id: id(), ownerId: ref(() => people.id), body: text().nullable() },
  {
    auth: { read: (ctx: Ctx, row) => row.ownerId === ctx.userId, write: (ctx, row) => row.body !== ctx.userId },
    indexes: (t) => [[t.ownerId, t.body]],
    unique: (t) => [[t.ownerId, t.body]],
  },
);

export const schema = defineSchema({ folders, seats, teams, people, merged, notes });

holds<
  Same<InferRow<typeof folders>, { readonly id: string; readonly name: string; readonly parentId: string | null }>
>();
holds<Same<InferRow<typeof teams>, { readonly id: string; readonly leaderId: string | null }>>();
holds<Same<InferRow<typeof people>, { readonly id: string; readonly name: string; readonly teamId: string }>>();
holds<Same<(typeof schema)["tables"]["notes"], typeof notes>>();
