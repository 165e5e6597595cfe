import { expect, test } from "vitest";
import { systemEnv } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { RecentAuth } from "./recent-auth.ts";

const auth = (clientGroupID: string) => ({ ok: true, clientGroupID, ctx: {} }) as const;

test("what auth said is good for a minute, for the same client of the same login and replica", () => {
  const clock = { now: 5_000_000 };
  const recent = new RecentAuth({ ...systemEnv, now: () => clock.now });
  const ada = auth("ada");
  recent.note(ada, "c1", "r1");
  const client = { clientGroupID: "ada", clientID: "c1", replicaID: "r1" };
  expect(recent.of(client)).toEqual({ auth: ada, at: clock.now });
  for (const other of [{ clientGroupID: "eve" }, { clientID: "c2" }, { clientID: null }, { replicaID: null }])
    expect(recent.of({ ...client, ...other })).toBeNull();
  clock.now += limits.socketCtxMsMax;
  expect(recent.of(client)).not.toBeNull();
  clock.now += 1;
  expect(recent.of(client)).toBeNull();
  clock.now -= 3 * limits.socketCtxMsMax;
  expect(recent.of(client)).toBeNull();
});

test("the clients that pulled last are kept, up to a bound", () => {
  const recent = new RecentAuth({ ...systemEnv, now: () => 0 });
  for (let n = 0; n <= limits.hubSocketsMax; n++) recent.note(auth("ada"), `c${n}`, null);
  const knows = (clientID: string) => recent.of({ clientGroupID: "ada", clientID, replicaID: null }) !== null;
  expect([knows("c0"), knows("c1"), knows(`c${limits.hubSocketsMax}`)]).toEqual([false, true, true]);
});
