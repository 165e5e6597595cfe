import { expect, test } from "vitest";
import type { OutboxEntry, SyncCommit } from "../store/store.ts";
import { FeedStep } from "./feed-step.ts";
import { createPending, keyOf } from "./pending-mutation.ts";

const entryOf = (clientID: string, id: number): OutboxEntry => ({
  order: 5,
  clientID,
  id,
  name: "add",
  args: null,
  timestamp: 1,
  seed: "00",
  base: null,
  schemaVersion: "1",
});
const nothing: SyncCommit = { changes: [], confirmed: {}, rejected: [] };

test("a renumbering and what the server says of the new number are understood in one step", () => {
  const step = () => {
    const mutation = Object.assign(createPending(entryOf("old", 2), null), { order: 5, durable: true });
    const made = new FeedStep(new Map([[keyOf(mutation.entry), mutation]]));
    made.addSync({ ...nothing, replace: [entryOf("new", 1)] }, { isShown: false });
    return { made, mutation };
  };
  const confirmed = step();
  confirmed.made.addSync({ ...nothing, confirmed: { new: 1 } }, { isShown: false });
  expect([...confirmed.made.gone]).toEqual([[confirmed.mutation, null]]);

  const refused = step();
  const rejection = { clientID: "new", id: 1, code: "mutation/app", message: "No." };
  refused.made.addSync({ ...nothing, rejected: [rejection] }, { isShown: false });
  expect([...refused.made.gone]).toEqual([[refused.mutation, rejection]]);

  const other = step();
  other.made.addSync({ ...nothing, confirmed: { old: 2 } }, { isShown: false });
  expect(other.made.gone.size).toBe(0);
});
