// Owns: the generated app of a run: some features, and what every call of a mutator leaves beside its effect, in the same
// mutation:
//   a receipt   id `<token>/0`; `<token>/1` if it was there already, which no run of a correct system shows
//   a link      the token, at the end of the chain of the device (only where the call says so: it ties calls together)

import { eq } from "../../packages/plasma-sync/src/core/query/expressions.ts";
import type { Db } from "../../packages/plasma-sync/src/core/query/db.ts";
import { defineMutators, type AnyMutators } from "../../packages/plasma-sync/src/core/mutation/mutator.ts";
import { boolean, id, text } from "../../packages/plasma-sync/src/core/schema/column.ts";
import { defineSchema, type AnySchema } from "../../packages/plasma-sync/src/core/schema/schema.ts";
import { table, type AnyTable } from "../../packages/plasma-sync/src/core/schema/table.ts";
import type { Row } from "../../packages/plasma-sync/src/core/schema/value.ts";
import { SimRandom } from "../../packages/plasma-sync/src/testing/sim-random.ts";
import { accounts, counters, documents, things } from "./features-shared.ts";
import { pictures } from "./features-files.ts";
import { drafts } from "./features-local.ts";
import { audits, lists, refusals, slugs, vaults } from "./features-private.ts";
import {
  laterRandom,
  type Ctx,
  type Feature,
  type FeatureMutator,
  type Input,
  type MakeFeature,
  type Rows,
  type Version,
} from "./feature.ts";

const ALL: readonly MakeFeature[] = [counters, accounts, things, documents, lists, vaults, audits, slugs, refusals];

/** What every call carries. */
export interface CallTag {
  readonly token: string;
  readonly device: string;
  readonly shared: boolean;
  readonly chained: boolean;
}

export interface App {
  readonly version: Version;
  readonly schema: AnySchema;
  readonly tables: ReadonlyMap<string, AnyTable>;
  /** The server has mutators of its own under the same names, with stricter args. */
  readonly mutators: { readonly client: AnyMutators; readonly server: AnyMutators };
  readonly mutatorsByName: ReadonlyMap<string, FeatureMutator>;
  readonly raw: ReadonlyMap<string, (db: Db, random: SimRandom) => PromiseLike<unknown>>;
  readonly seed: (db: Db) => Promise<void>;
  readonly sees: (who: Ctx, table: string, rows: Rows) => readonly Row[];
  readonly check: (rows: Rows, receipts: readonly Row[]) => string | null;
  readonly receipts: AnyTable;
}

/** Features that came later, each in half of the apps that are not plain. */
const LATER: readonly MakeFeature[] = [pictures, drafts];

/**
 * The app of a seed in both versions: the second has more columns, and a table more. A plain one has what apps had before there
 * were files and local-only tables.
 */
export function generateApp(seed: number, isPlain: boolean): { readonly v1: App; readonly v2: App } {
  const random = new SimRandom(seed);
  const chosen = ALL.filter(() => random.chance(0.4));
  const features = chosen.length === 0 ? [random.pick(ALL)] : chosen;
  const later = laterRandom(seed);
  if (!isPlain) features.push(...LATER.filter(() => later.chance(0.5)));
  const shape = random.uint32();
  const make = (version: Version) => {
    // Both versions draw the same columns.
    const drawn = new SimRandom(shape);
    return createApp(
      version,
      features.map((feature) => feature(version, drawn)),
    );
  };
  return { v1: make("v1"), v2: make("v2") };
}

function createApp(version: Version, features: readonly Feature[]): App {
  const receipts = table(
    "receipts",
    { id: id(), token: text(), maker: text(), shared: boolean(), effect: text() },
    { auth: { read: (ctx: Ctx, row) => row.shared || row.maker === ctx.userId } },
  );
  const chains = table("chains", { id: id(), tokens: text() });
  const extras = table("extras", { id: id(), token: text() });
  const tables: { [name: string]: AnyTable } = { receipts, chains, ...(version === "v2" ? { extras } : {}) };
  for (const feature of features) Object.assign(tables, feature.tables);
  const mutatorsByName = new Map(features.flatMap((feature) => Object.entries(feature.mutators)));

  const leave = async ({ db, args, ctx }: Input, mutator: FeatureMutator) => {
    const { token, device, shared, chained } = args as unknown as CallTag;
    const [before] = await db
      .select()
      .from(receipts)
      .where(eq(receipts.id, `${token}/0`));
    const effect = mutator.effect?.(args) ?? "";
    await db
      .insert(receipts)
      .values({ id: `${token}/${before === undefined ? 0 : 1}`, token, maker: ctx.userId, shared, effect });
    if (version === "v2")
      await db
        .insert(extras)
        .values({ id: `extra ${token}`, token })
        .onConflictDoUpdate({ set: { token } });
    if (!chained) return;
    const [chain] = await db.select().from(chains).where(eq(chains.id, device));
    const linked = `${chain?.tokens ?? ""} ${token}`.trim();
    await db
      .insert(chains)
      .values({ id: device, tokens: linked })
      .onConflictDoUpdate({ set: { tokens: linked } });
  };

  const forms = (side: "client" | "server") =>
    Object.fromEntries(
      [...mutatorsByName].map(([name, mutator]) => [
        name,
        {
          args: argsSchema((args) => (side === "server" ? (mutator.serverRefuses?.(args) ?? null) : null)),
          run: async (input: Input) => {
            await mutator.run(input);
            if (mutator.isLocal !== true) await leave(input, mutator);
          },
        },
      ]),
    );
  const define = (side: "client" | "server") => defineMutators<AnySchema, Ctx>()(forms(side) as never);

  return {
    version,
    schema: defineSchema(tables),
    tables: new Map(Object.entries(tables)),
    mutators: { client: define("client"), server: define("server") },
    mutatorsByName,
    raw: new Map(features.flatMap(({ raw }) => Object.entries(raw ?? {}))),
    seed: async (db) => {
      for (const { seed } of features) await seed?.(db);
    },
    sees: (who, name, rows) => {
      if (name === "receipts") return rows(name).filter((row) => row["shared"] === true || row["maker"] === who.userId);
      const rule = features.find(({ sees }) => sees?.[name] !== undefined)?.sees?.[name];
      return rule === undefined ? rows(name) : rows(name).filter((row) => rule(who, row, rows));
    },
    check: (rows, all) => {
      for (const { check } of features) {
        const wrong = check?.(rows, all) ?? null;
        if (wrong !== null) return wrong;
      }
      return null;
    },
    receipts,
  };
}

function argsSchema(refuse: (args: { readonly [name: string]: unknown }) => string | null) {
  return {
    "~standard": {
      version: 1 as const,
      vendor: "sim",
      validate: (value: unknown) => {
        const message = refuse(value as { readonly [name: string]: unknown });
        return message === null ? { value } : { issues: [{ message }] };
      },
    },
  };
}
