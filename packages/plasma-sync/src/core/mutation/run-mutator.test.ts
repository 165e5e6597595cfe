import { describe, expect, it } from "vitest";
import { z } from "zod";
import { isPlasmaError } from "../error.ts";
import { systemEnv, type Env } from "../lib/env.ts";
import type { Db } from "../query/db.ts";
import { eq } from "../query/expressions.ts";
import { boolean, id, int, text } from "../schema/column.ts";
import { defineSchema } from "../schema/schema.ts";
import { table } from "../schema/table.ts";
import { MemoryMutationStore } from "./memory-store.ts";
import type { MutationStore } from "./mutation-store.ts";
import { defineMutators, MUTATORS, type MutatorDef, type MutatorInput } from "./mutator.ts";
import { runMutator, validateArgs } from "./run-mutator.ts";

const todos = table("todos", {
  id: id(),
  title: text().unique(),
  done: boolean().default(false),
  rank: int().default(0),
});
const schema = defineSchema({ todos });
type Input = MutatorInput<typeof schema, { userId: string }, { title: string }>;

const SEED = "000102030405060708090a0b0c0d0e0f";
const input = {
  name: "test",
  args: { title: "Rest" } as unknown,
  ctx: { userId: "ann" },
  clientID: "c1",
  mutationID: 7,
  now: 1234,
  seed: SEED,
  side: "client" as const,
};

interface RunOptions {
  readonly store?: MutationStore;
  readonly env?: Env;
  readonly dev?: boolean;
}

function run(mutator: (input: Input) => Promise<void> | void, options: RunOptions = {}): Promise<void> {
  const def: MutatorDef = { args: undefined, run: mutator };
  const { store = new MemoryMutationStore(), env = systemEnv, dev = true } = options;
  return runMutator({ schema, def, store, env, dev, input });
}

const row = (rowID: string, title = rowID) => ({ id: rowID, title });

/** An Env that counts its timers. */
function countingEnv(): Env & { timers: number } {
  const env = {
    ...systemEnv,
    timers: 0,
    setTimeout: (fn: () => void, delayMs: number) => {
      env.timers += 1;
      return systemEnv.setTimeout(fn, delayMs);
    },
  };
  return env;
}

describe("a run of a mutator", () => {
  it("hands over the input and sees its own writes", async () => {
    const store = new MemoryMutationStore();
    let seen: unknown;
    await run(
      async ({ db, args, ctx, clientID, mutationID, now, side, newId }) => {
        await db.insert(todos).values({ id: newId(), title: args.title });
        await db.update(todos).set({ rank: 3 }).where(eq(todos.title, args.title));
        seen = {
          rows: await db.select({ title: todos.title, rank: todos.rank }).from(todos),
          ctx,
          clientID,
          mutationID,
          now,
          side,
        };
      },
      { store },
    );
    expect(seen).toEqual({
      rows: [{ title: "Rest", rank: 3 }],
      ctx: { userId: "ann" },
      clientID: "c1",
      mutationID: 7,
      now: 1234,
      side: "client",
    });
    expect(store.rows("todos")).toHaveLength(1);
  });

  it("makes the same ids from the same seed, another for each call", async () => {
    const made: string[] = [];
    for (let i = 0; i < 2; i++) await run(({ newId }) => void made.push(newId(), newId()));
    expect(made.slice(0, 2)).toEqual(made.slice(2));
    expect(made[0]).not.toBe(made[1]);
    expect(made[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("rejects with what the mutator throws, also when it throws before its first await", async () => {
    const error = new TypeError("mine");
    await expect(
      run(() => {
        throw error;
      }),
    ).rejects.toBe(error);
    await expect(
      run(async ({ db }) => {
        await db.select().from(todos);
        throw error;
      }),
    ).rejects.toBe(error);
  });

  it("runs statements that are begun together one after another, in the order of the calls", async () => {
    const store = new MemoryMutationStore();
    await run(
      async ({ db }) => {
        await Promise.all([
          db.insert(todos).values(row("a")),
          db.update(todos).set({ rank: 1 }).where(eq(todos.id, "a")),
          db.update(todos).set({ title: "b" }).where(eq(todos.rank, 1)),
        ]);
      },
      { store },
    );
    expect(store.rows("todos")).toEqual([{ id: "a", title: "b", done: false, rank: 1 }]);
  });

  it("lets a mutator catch the error of a statement and go on", async () => {
    const store = new MemoryMutationStore();
    await run(
      async ({ db }) => {
        await db.insert(todos).values(row("a"));
        await db
          .insert(todos)
          .values(row("a"))
          .then(undefined, () => undefined);
        await db.insert(todos).values(row("b"));
      },
      { store },
    );
    expect(store.rows("todos").map((r) => r["id"])).toEqual(["a", "b"]);
  });
});

describe("statements that a mutator does not await", () => {
  /** Answers only after the event loop has turned, as a database does. */
  class SlowStore extends MemoryMutationStore {
    override async getMany(tableName: string, ids: readonly string[]) {
      await new Promise<void>((resolve) => void systemEnv.setTimeout(resolve, 0));
      return super.getMany(tableName, ids);
    }
  }

  it("are done before the run ends", async () => {
    const store = new SlowStore();
    await run(({ db }) => void db.insert(todos).values(row("a")).then(undefined), { store });
    expect(store.rows("todos")).toHaveLength(1);
  });

  it("fail the run when they fail", async () => {
    const store = new SlowStore();
    await store.write([
      { table: "todos", id: "a", before: null, after: { id: "a", title: "a", done: false, rank: 0 } },
    ]);
    let told: unknown;
    const loose = run(
      ({ db }) =>
        void db
          .insert(todos)
          .values(row("a"))
          .then(undefined, (error) => (told = error)),
      { store },
    );
    await expect(loose).rejects.toMatchObject({ code: "constraint/unique" });
    expect(told).toMatchObject({ code: "constraint/unique" });
  });

  it("are done before the run ends when the mutator throws meanwhile", async () => {
    const store = new SlowStore();
    const failing = run(
      ({ db }) => {
        void db.insert(todos).values(row("a")).then(undefined);
        throw new TypeError("mine");
      },
      { store },
    );
    await expect(failing).rejects.toThrow("mine");
    const rowsAtEnd = store.rows("todos").length;
    await new Promise<void>((resolve) => void systemEnv.setTimeout(resolve, 5));
    expect(store.rows("todos")).toHaveLength(rowsAtEnd);
    expect(rowsAtEnd).toBe(1);
  });

  it("fail the run when one leads to a call after the mutator has returned", async () => {
    const store = new SlowStore();
    let late: unknown;
    const chained = run(
      ({ db }) =>
        void db
          .insert(todos)
          .values(row("a"))
          .then(() => db.insert(todos).values(row("b")))
          .then(undefined, (error) => (late = error)),
      { store },
    );
    await expect(chained).rejects.toMatchObject({ code: "mutation/ended" });
    expect(late).toMatchObject({ code: "mutation/ended" });
    expect(store.rows("todos").map((r) => r["id"])).toEqual(["a"]);
  });
});

describe("the end of a run", () => {
  it("makes its db dead: a later call throws", async () => {
    let leaked: Db | null = null;
    await run(({ db }) => void (leaked = db));
    const db = leaked as unknown as Db;
    await expect(db.select().from(todos)).rejects.toMatchObject({ code: "mutation/ended" });
    await expect(db.insert(todos).values(row("a"))).rejects.toMatchObject({ code: "mutation/ended" });
  });

  it("comes with the error of a store that throws without a promise", async () => {
    const broken: MutationStore = {
      select: () => {
        throw new TypeError("broken store");
      },
      getMany: async () => [],
      write: async () => undefined,
    };
    await expect(run(async ({ db }) => void (await db.select().from(todos)), { store: broken })).rejects.toThrow(
      "broken store",
    );
    await expect(
      run(
        ({ db }) =>
          void db
            .select()
            .from(todos)
            .then(undefined, () => undefined),
        { store: broken },
      ),
    ).resolves.toBe(undefined);
  });
});

describe("waiting for something foreign", () => {
  it("is an error in development that names the mutator", async () => {
    const forever = new Promise<void>(() => undefined);
    await expect(run(() => forever)).rejects.toMatchObject({ code: "mutation/foreign-await", data: { name: "test" } });
  });

  it("is an error in development when it comes after statements", async () => {
    const foreign = run(async ({ db }) => {
      await db.insert(todos).values(row("a"));
      await new Promise<void>((resolve) => void systemEnv.setTimeout(resolve, 200));
      await db.insert(todos).values(row("b"));
    });
    await expect(foreign).rejects.toMatchObject({ code: "mutation/foreign-await" });
  });

  it("is not taken for a slow database", async () => {
    class Slow extends MemoryMutationStore {
      override async getMany(tableName: string, ids: readonly string[]) {
        await new Promise<void>((resolve) => void systemEnv.setTimeout(resolve, 20));
        return super.getMany(tableName, ids);
      }
    }
    const store = new Slow();
    await run(
      async ({ db }) => {
        for (const rowID of ["a", "b", "c"]) await db.insert(todos).values(row(rowID));
      },
      { store },
    );
    expect(store.rows("todos")).toHaveLength(3);
  });

  it("is let be in production", async () => {
    await run(() => new Promise<void>((resolve) => void systemEnv.setTimeout(resolve, 20)), { dev: false });
  });

  it("costs no timer where the mutator ends without it", async () => {
    const env = countingEnv();
    for (let i = 0; i < 20; i++) {
      await run(
        async ({ db }) => {
          await db.insert(todos).values(row("a"));
        },
        { env },
      );
    }
    expect(env.timers).toBe(0);
  });
});

describe("args", () => {
  const defOf = (args: MutatorDef["args"]): MutatorDef => ({ args, run: () => undefined });

  it("reach the mutator as the schema's output", async () => {
    let got: unknown;
    const mutators = defineMutators<typeof schema, unknown>()({
      add: { args: z.object({ title: z.string().trim() }), run: ({ args }) => void (got = args.title) },
    });
    const def = mutators[MUTATORS].byName.get("add") as MutatorDef;
    await runMutator({
      schema,
      def,
      store: new MemoryMutationStore(),
      env: systemEnv,
      input: { ...input, args: { title: " Rest " } },
    });
    expect(got).toBe("Rest");
  });

  it("that the schema refuses throw an error with the mutator's name and every issue with its path", () => {
    const def = defOf(z.object({ title: z.string(), tags: z.array(z.number()) }));
    const error = caught(() => validateArgs(def, "add", { title: 1, tags: [1, "x"] }));
    expect(isPlasmaError(error, "mutation/args")).toBe(true);
    expect(error).toMatchObject({
      data: { name: "add", details: [{ path: ["title"] }, { path: ["tags", 1] }] },
    });
    expect((error as Error).message).toMatch(/"add".*title: .*tags\.1: /);
  });

  it("of an asynchronous schema are refused", () => {
    const def = defOf(z.object({ title: z.string().refine(async () => true) }));
    expect(caught(() => validateArgs(def, "add", { title: "x" }))).toMatchObject({ code: "mutation/definition" });
    const foreign: MutatorDef["args"] = {
      "~standard": { version: 1, vendor: "test", validate: () => Promise.reject(new TypeError("later")) },
    };
    expect(caught(() => validateArgs(defOf(foreign), "add", {}))).toMatchObject({ code: "mutation/definition" });
  });
});

function caught(fn: () => unknown): unknown {
  try {
    fn();
  } catch (error) {
    return error;
  }
  return undefined;
}
