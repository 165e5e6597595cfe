// The guide's test in workerd: the todo app's handler on a real D1.

// #region workerd
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { createPlasmaClient } from "plasma-sync/client";
import { createServerDb, createSyncHandler, ensureSchema, fromD1 } from "plasma-sync/server";
import { mutators } from "../../examples/todo/src/mutators.ts";
import { lists, schema, SCHEMA_VERSION, users } from "../../examples/todo/src/schema.ts";
import { auth, serverMutators } from "../../examples/todo/src/worker/sync-options.ts";

test("a list made in one client is in D1, and in the other client", async () => {
  const executor = fromD1(env.DB);
  await ensureSchema({ schema, executor });
  await createServerDb({ schema, executor }).insert(users).values({ id: "ada", name: "Ada" });
  const handle = createSyncHandler({ schema, mutators: serverMutators, executor, schemaVersion: SCHEMA_VERSION, auth });
  const open = () =>
    createPlasmaClient({
      schema,
      mutators,
      dbName: "todo",
      endpoint: "http://todo.test/sync",
      schemaVersion: SCHEMA_VERSION,
      clientGroupID: "ada",
      getContext: () => ({ userId: "ada" }),
      authHeaders: () => ({ "x-user": "ada" }),
      storage: "memory",
      fetcher: handle,
    });
  const [laptop, phone] = [open(), open()];
  await laptop.mutate.createList({ id: "trip", name: "Norway", color: "sea" }).server;
  await phone.pullOnce();
  expect(await phone.db.select({ name: lists.name }).from(lists)).toEqual([{ name: "Norway" }]);
  await Promise.all([laptop.close(), phone.close()]);
});
// #endregion
