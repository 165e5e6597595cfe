// Owns: Feature, a part of a generated app: its tables and rules, its mutators, how calls of them are drawn, and by hand, over
// plain rows, who sees what.

import type { MutatorInput } from "../../packages/plasma-sync/src/core/mutation/mutator.ts";
import type { AnySchema } from "../../packages/plasma-sync/src/core/schema/schema.ts";
import type { AnyTable } from "../../packages/plasma-sync/src/core/schema/table.ts";
import type { Row } from "../../packages/plasma-sync/src/core/schema/value.ts";
import type { Db } from "../../packages/plasma-sync/src/core/query/db.ts";
import { SimRandom } from "../../packages/plasma-sync/src/testing/sim-random.ts";

export interface Ctx {
  readonly userId: string;
  /** The server alone decides by it; it changes under its user. */
  readonly role: "reader" | "admin";
}

export const USERS = ["ada", "grace", "alan"] as const;

export type Version = "v1" | "v2";

/** One call, as plain data. */
export interface Call {
  readonly name: string;
  readonly args: { readonly [name: string]: unknown };
}

export type Input = MutatorInput<AnySchema, Ctx, Record<string, any>>;

export interface FeatureMutator {
  readonly run: (input: Input) => PromiseLike<unknown>;
  readonly draw: (random: SimRandom) => Call["args"];
  /** It may throw where the rows are not as it expects: then its effect, receipt included, is not in the view. */
  readonly mayThrow: boolean;
  /** What the server's args schema says of args that the client's lets through: a message, or null. */
  readonly serverRefuses?: (args: Call["args"]) => string | null;
  /** Said in the receipt, and so summed up by `check`. */
  readonly effect?: (args: Call["args"]) => string;
  /** It writes local-only tables alone: it leaves no receipt, and nobody is sent it. */
  readonly isLocal?: boolean;
  /** How often it is drawn. */
  readonly weight: number;
}

/** All rows of a table. */
export type Rows = (table: string) => readonly Row[];

export interface Feature {
  readonly tables: { readonly [name: string]: AnyTable };
  readonly mutators: { readonly [name: string]: FeatureMutator };
  /** Per table: whether the person sees the row. Absent: everybody sees all. */
  readonly sees?: { readonly [table: string]: (who: Ctx, row: Row, rows: Rows) => boolean };
  /** Fills the server's tables at the start. */
  readonly seed?: (db: Db) => PromiseLike<unknown>;
  /** Writes around all rules, as a job on the server does. */
  readonly raw?: { readonly [name: string]: (db: Db, random: SimRandom) => PromiseLike<unknown> };
  /** Says what is wrong with rows of one moment, as anybody may see them; receipts say what has happened. */
  readonly check?: (rows: Rows, receipts: readonly Row[]) => string | null;
}

export type MakeFeature = (version: Version, random: SimRandom) => Feature;

/** Of a run's seed: the source of what came later than its script and its first features. */
export const laterRandom = (seed: number): SimRandom => new SimRandom(seed ^ 0x51f0cafe);
