// The kit is typed by the app's schema and mutators, without an annotation.

import { id, text } from "../core/schema/column.ts";
import { table } from "../core/schema/table.ts";
import { expectDenied } from "./expect-outcome.ts";
import { expectNotVisible, expectVisible } from "./expect-rows.ts";
import { mutators, notes, schema } from "./test-app.fixture.ts";
import { createTestWorld } from "./test-world.ts";

const others = table("others", { id: id(), title: text() });

export async function acceptedPrograms() {
  await using world = createTestWorld({ schema, mutators, engine: "d1" });
  const ada = await world.client("ada", { ctx: { userId: "ada", isAdmin: true } });
  const tab = await ada.openTab();
  await tab.mutate.add({ id: "1", body: "a" }).server;
  await ada.mutate("share", { id: "1" });
  await expectVisible(tab, notes, ["1", { body: "a", shared: true }]);
  await expectNotVisible(tab, notes);
  const { code }: { code: string } = await expectDenied(() => tab.forge.edit({ id: "1", body: "" }), "auth/denied");
  const [row] = await world.db.select().from(notes);
  world.network.loseAnswer({ of: "push", from: ada });
  return [code, row?.shared === true];
}

export async function refusedPrograms() {
  const world = createTestWorld({ schema, mutators });
  const ada = await world.client("ada");
  // @ts-expect-error -- no such mutator
  void ada.mutate.rename({ id: "1" });
  // @ts-expect-error -- no such mutator to forge
  void ada.forge.rename({ id: "1" });
  // @ts-expect-error -- the body is missing
  void ada.mutate.add({ id: "1" });
  // @ts-expect-error -- a table of another schema
  await expectVisible(ada, others, ["1"]);
  // @ts-expect-error -- no such column
  await expectVisible(ada, notes, [{ title: "a" }]);
  // @ts-expect-error -- a body is a text
  await expectNotVisible(ada, notes, [{ body: 1 }]);
  // @ts-expect-error -- no such engine
  createTestWorld({ schema, mutators, engine: "mysql" });
  // @ts-expect-error -- a code is a text
  await expectDenied(ada.mutate.share({ id: "1" }), 403);
}
