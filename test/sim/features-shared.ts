// Owns: features whose rows everybody sees: counters, accounts, things with generated columns, documents that merge.

import { eq } from "../../packages/plasma-sync/src/core/query/expressions.ts";
import { increment } from "../../packages/plasma-sync/src/core/query/increment.ts";
import {
  bigint,
  blob,
  boolean,
  id,
  int,
  json,
  real,
  text,
  timestamp,
} from "../../packages/plasma-sync/src/core/schema/column.ts";
import { table } from "../../packages/plasma-sync/src/core/schema/table.ts";
import type { SimRandom } from "../../packages/plasma-sync/src/testing/sim-random.ts";
import type { MakeFeature } from "./feature.ts";

const drawID = (prefix: string, count: number) => (random: SimRandom) => `${prefix}${random.int(1, count)}`;

export const counters: MakeFeature = (version) => {
  const counters = table("counters", {
    id: id(),
    value: int().default(0),
    ...(version === "v2" ? { note: text().default("none") } : {}),
  });
  const draw = (random: SimRandom) => ({ id: drawID("c", 3)(random), by: random.int(1, 9) });
  const effect = (args: { readonly [name: string]: unknown }) => `${String(args["id"])}+${String(args["by"])}`;
  return {
    tables: { counters },
    mutators: {
      bump: {
        weight: 3,
        mayThrow: false,
        draw,
        effect,
        run: async ({ db, args }) => {
          await db
            .update(counters)
            .set({ value: increment(counters.value, args["by"]) })
            .where(eq(counters.id, args["id"]));
        },
      },
      addUp: {
        weight: 3,
        mayThrow: false,
        draw,
        effect,
        run: async ({ db, args }) => {
          const [row] = await db.select().from(counters).where(eq(counters.id, args["id"]));
          await db
            .update(counters)
            .set({ value: (row?.value ?? 0) + Number(args["by"]) })
            .where(eq(counters.id, args["id"]));
        },
      },
    },
    seed: async (db) => db.insert(counters).values([{ id: "c1" }, { id: "c2" }, { id: "c3" }] as never),
    check: (rows, receipts) => {
      for (const row of rows("counters")) {
        const effects = receipts.map(({ effect }) => String(effect).split("+")).filter(([name]) => name === row["id"]);
        const sum = effects.reduce((total, [, by]) => total + Number(by), 0);
        if (sum !== row["value"])
          return `counter ${row["id"] as string} is ${row["value"] as number}, its receipts say ${sum}`;
      }
      return null;
    },
  };
};

const ACCOUNTS = 3;
const BALANCE = 20;

export const accounts: MakeFeature = () => {
  const accounts = table("accounts", { id: id(), balance: int() });
  return {
    tables: { accounts },
    mutators: {
      transfer: {
        weight: 5,
        mayThrow: true,
        draw: (random) => ({
          from: drawID("a", ACCOUNTS)(random),
          to: drawID("a", ACCOUNTS)(random),
          amount: random.int(1, 12),
        }),
        run: async ({ db, args }) => {
          const [from] = await db.select().from(accounts).where(eq(accounts.id, args["from"]));
          if (from === undefined || from.balance < args["amount"]) throw new Error("Not enough money.");
          await db
            .update(accounts)
            .set({ balance: from.balance - args["amount"] })
            .where(eq(accounts.id, args["from"]));
          const [to] = await db.select().from(accounts).where(eq(accounts.id, args["to"]));
          await db
            .update(accounts)
            .set({ balance: (to?.balance ?? 0) + Number(args["amount"]) })
            .where(eq(accounts.id, args["to"]));
        },
      },
    },
    seed: async (db) => {
      const rows = Array.from({ length: ACCOUNTS }, (_, i) => ({ id: `a${i + 1}`, balance: BALANCE }));
      await db.insert(accounts).values(rows);
    },
    check: (rows) => {
      const all = rows("accounts");
      const sum = all.reduce((total, row) => total + Number(row["balance"]), 0);
      if (sum !== ACCOUNTS * BALANCE) return `${all.length} accounts hold ${sum}, not ${ACCOUNTS * BALANCE}`;
      return all.some((row) => Number(row["balance"]) < 0) ? "an account is below zero" : null;
    },
  };
};

const KINDS = {
  text: { column: () => text(), draw: (random: SimRandom) => `t${random.int(0, 99)}` },
  int: { column: () => int(), draw: (random: SimRandom) => random.int(-9, 9) },
  real: { column: () => real(), draw: (random: SimRandom) => random.int(-9, 9) / 4 },
  bigint: { column: () => bigint(), draw: (random: SimRandom) => BigInt(random.int(0, 9)) * 9_007_199_254_740_993n },
  boolean: { column: () => boolean(), draw: (random: SimRandom) => random.chance(0.5) },
  blob: { column: () => blob(), draw: (random: SimRandom) => random.bytes(random.int(0, 5)) },
  json: { column: () => json(), draw: (random: SimRandom) => ({ n: [random.int(0, 9), null, "é"] }) },
  timestamp: { column: () => timestamp(), draw: (random: SimRandom) => random.int(0, 2 ** 40) },
} as const;

/** Rows of any columns that come, change and go; most share no row with another mutation. */
export const things: MakeFeature = (version, random) => {
  const names = Object.keys(KINDS) as (keyof typeof KINDS)[];
  const kinds = Array.from({ length: random.int(1, 5) }, () => random.pick(names));
  const columns = Object.fromEntries(kinds.map((kind, i) => [`x${i}`, KINDS[kind].column().nullable()]));
  const things = table("things", { id: id(), ...columns, ...(version === "v2" ? { since: int().default(2) } : {}) });
  const any = things as any;
  const drawRow = (random: SimRandom) =>
    Object.fromEntries(kinds.map((kind, i) => [`x${i}`, random.chance(0.2) ? null : KINDS[kind].draw(random)]));
  const draw = (random: SimRandom) => ({ id: drawID("t", 12)(random), row: drawRow(random) });
  return {
    tables: { things },
    mutators: {
      putThing: {
        weight: 4,
        mayThrow: false,
        draw,
        run: async ({ db, args }) => {
          await db
            .insert(any)
            .values({ id: args["id"], ...args["row"] })
            .onConflictDoUpdate({ set: args["row"] });
        },
      },
      dropThing: {
        weight: 1,
        mayThrow: false,
        draw,
        run: async ({ db, args }) => db.delete(things).where(eq(things.id, args["id"])),
      },
    },
    raw: {
      putThings: (db, random) =>
        db
          .insert(any)
          .values({ id: `r${random.uint32()}`, ...drawRow(random) })
          .onConflictDoNothing(),
      dropThings: (db, random) => db.delete(things).where(eq(things.id, drawID("t", 12)(random))),
    },
  };
};

/** Told of each conflict that was resolved, for the coverage. */
export const conflicts = { resolved: 0 };

const merged = (...texts: (string | undefined)[]): string =>
  [...new Set(texts.flatMap((words) => (words ?? "").split(" ").filter(Boolean)))].sort().join(" ");

/** Words that are only ever added: a conflict keeps those of both sides. */
export const documents: MakeFeature = () => {
  const docs = table(
    "docs",
    { id: id(), words: text().default("") },
    {
      resolveConflict: ({ current, incoming }) => {
        conflicts.resolved += 1;
        return { ...incoming, words: merged(current.words, incoming.words) };
      },
    },
  );
  return {
    tables: { docs },
    mutators: {
      addWord: {
        weight: 4,
        mayThrow: false,
        draw: (random) => ({ id: drawID("d", 2)(random), word: `w${random.int(0, 99)}` }),
        effect: (args) => `${String(args["id"])}:${String(args["word"])}`,
        // Blind, as a form is saved: what others have added since is lost where nothing merges it.
        run: async ({ db, args }) => {
          const [doc] = await db.select().from(docs).where(eq(docs.id, args["id"]));
          await db
            .update(docs)
            .set({ words: merged(doc?.words, args["word"]) })
            .where(eq(docs.id, args["id"]));
        },
      },
    },
    seed: async (db) => db.insert(docs).values([{ id: "d1" }, { id: "d2" }]),
    check: (rows, receipts) => {
      for (const { effect } of receipts) {
        const [doc, word = ""] = String(effect).split(":");
        const row = rows("docs").find((one) => one["id"] === doc);
        if (row !== undefined && !String(row["words"]).split(" ").includes(word)) return `${doc} has lost "${word}"`;
      }
      return null;
    },
  };
};
