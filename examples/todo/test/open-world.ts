// Owns: the world of the todo app's tests: its schema, its rules, its Worker's own mutators and auth, and its three people.
// #region world
import { createTestWorld } from "plasma-sync/testing";
import { mutators } from "../src/mutators.ts";
import { PEOPLE } from "../src/people.ts";
import { schema, SCHEMA_VERSION, users } from "../src/schema.ts";
import { auth, serverMutators } from "../src/worker/sync-options.ts";

export async function openWorld(seed = 1) {
  const world = createTestWorld({ schema, mutators, serverMutators, auth, schemaVersion: SCHEMA_VERSION, seed });
  await world.db.insert(users).values([...PEOPLE]);
  return world;
}
// #endregion
