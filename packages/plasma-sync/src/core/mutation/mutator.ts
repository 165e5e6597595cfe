// Owns: what a mutator is: its input, its two forms, and `defineMutators`.

import type { StandardSchemaV1 } from "@standard-schema/spec";
import { PlasmaError } from "../error.ts";
import type { Db } from "../query/db.ts";
import type { AnySchema } from "../schema/schema.ts";

/** What a mutator is given. */
export interface MutatorInput<_S extends AnySchema, Ctx, Args> {
  /** Reads see this mutation's own writes; everything commits together or not at all. */
  readonly db: Db;
  readonly args: Args;
  readonly ctx: Ctx;
  readonly clientID: string;
  readonly mutationID: number;
  /** The mutation's time in ms since the epoch, the same on both sides. */
  readonly now: number;
  /** The next id of this mutation: the same on both sides, not guessable by others. */
  readonly newId: () => string;
  readonly side: "client" | "server";
}

/** A mutator in its run-time form. */
export interface MutatorDef {
  readonly args: StandardSchemaV1 | undefined;
  // oxlint-disable-next-line typescript/no-explicit-any -- each mutator has its own args and ctx
  readonly run: (input: MutatorInput<AnySchema, any, any>) => Promise<void> | void;
}

type Run<S extends AnySchema, Ctx, Args> = (input: MutatorInput<S, Ctx, Args>) => Promise<void> | void;
type Form<S extends AnySchema, Ctx, A> =
  | Run<S, Ctx, A>
  | {
      readonly args: A & StandardSchemaV1;
      readonly run: Run<S, Ctx, A extends StandardSchemaV1 ? StandardSchemaV1.InferOutput<A> : never>;
    };

/** Where a definition keeps its run-time form, and its type. */
export const MUTATORS: unique symbol = Symbol.for("plasma-sync.mutators");

/** Mutators by name; `A[name]` is the args type, or the Standard Schema of the args. */
export interface Mutators<A extends object = object> {
  readonly [MUTATORS]: { readonly byName: ReadonlyMap<string, MutatorDef>; readonly $?: A };
}
export type AnyMutators = Mutators;

/** The names of the mutators. */
export type MutatorName<M extends AnyMutators> = M extends Mutators<infer A> ? keyof A & string : never;
/** What `mutate(name, args)` takes: the args schema's input. */
export type MutatorArgs<M extends AnyMutators, N extends MutatorName<M>> =
  M extends Mutators<infer A>
    ? N extends keyof A
      ? A[N] extends StandardSchemaV1
        ? StandardSchemaV1.InferInput<A[N]>
        : A[N]
      : never
    : never;

/**
 * Defines the mutators: the only way to change synced data.
 *
 * @throws PlasmaError `mutation/definition` for one that is neither a function nor `{ args, run }`.
 * @example
 * const mutators = defineMutators<typeof schema, Ctx>()({
 *   addTodo: async ({ db, args, newId }: MutatorInput<typeof schema, Ctx, { title: string }>) => {
 *     await db.insert(todos).values({ id: newId(), title: args.title });
 *   },
 * });
 */
export function defineMutators<S extends AnySchema, Ctx>(): <A extends object>(forms: {
  [K in keyof A]: Form<S, Ctx, A[K]>;
}) => Mutators<A> {
  return (forms) => {
    const byName = new Map<string, MutatorDef>();
    for (const [name, form] of Object.entries<unknown>(forms)) byName.set(name, defOf(name, form));
    return Object.freeze({ [MUTATORS]: { byName } });
  };
}

function defOf(name: string, form: unknown): MutatorDef {
  if (typeof form === "function") return { args: undefined, run: form as MutatorDef["run"] };
  const { args, run } = (form ?? {}) as Partial<MutatorDef>;
  if (typeof run !== "function")
    throw new PlasmaError("mutation/definition", { name, why: "write a function, or { args, run }." });
  if (args !== undefined && (args as StandardSchemaV1 | null)?.["~standard"] === undefined) {
    throw new PlasmaError("mutation/definition", { name, why: "args is a Standard Schema, such as z.object({ … })." });
  }
  return { args, run };
}
