// A database that fails at any statement of a push, or after its commit: nothing advances, or all of it did, and a
// client that sends again has each mutation exactly once.

import { describe, expect, test } from "vitest";
import type { SqlExecutor } from "../database/sql-executor.ts";
import { hooked } from "./memory-database-node.fixture.ts";
import { mutation, RawClient, startServer } from "./sync-server.fixture.ts";
import type { SyncServerError } from "./sync-server-error.ts";

const ada = { user: "ada", clientID: "c1", replicaID: "r1" };
const first = [
  mutation(1, "addNote", { id: "n1", slug: "one" }),
  mutation(2, "addTag", { id: "t1", name: "t", noteId: "n1", ownerId: "ada" }),
];
const second = [
  mutation(3, "addNote", { id: "n2", slug: "two" }),
  mutation(4, "catchAll", { id: "p1" }),
  mutation(5, "throwAfterWrite", { message: "No." }),
  mutation(6, "delNote", { id: "n1" }),
  mutation(1, "addNote", { id: "n9" }, { clientID: "c2" }),
];
const statuses = ["applied", "applied", "rejected", "applied", "applied"];

class Fault extends RangeError {}

/** Fails the `at`-th event of the next request; counts events. */
function faulty(executor: SqlExecutor) {
  const fault = { at: 0, count: 0, isOn: false };
  const wrapped = hooked(executor, () => {
    fault.count += 1;
    if (fault.isOn && fault.count === fault.at) throw new Fault("disk on fire, row of ada");
  });
  return { fault, wrapped };
}

export function describeFaults(engine: string, makeDatabase: () => SqlExecutor | Promise<SqlExecutor>): void {
  describe(`on ${engine}`, () => {
    const start = async () => {
      const errors: SyncServerError[] = [];
      const { fault, wrapped } = faulty(await makeDatabase());
      const server = startServer(wrapped, { onError: (error) => void errors.push(error) });
      const client = new RawClient(server, ada);
      await client.push(...first);
      return { server, client, fault, errors };
    };

    test(
      "a failure at any statement of a push answers 503, advances nothing or all, and the push sent again applies once",
      { timeout: 120_000 },
      async () => {
        let failures = 0;
        let lostAnswers = 0;
        for (let at = 1; ; at++) {
          const { server, client, fault, errors } = await start();
          const before = await server.dump();
          Object.assign(fault, { at, count: 0, isOn: true });
          const answer = await client.push(...second);
          fault.isOn = false;
          if (fault.count < at) {
            expect(answer.json.results.map(({ status }) => status)).toEqual(statuses);
            break;
          }
          failures += 1;
          expect([answer.status, (answer.json as any).code]).toEqual([503, "server/retry"]);
          expect(answer.text).not.toMatch(/fire|ada/);
          expect(errors.at(-1)).toMatchObject({ kind: "database", status: 503 });
          const after = await server.dump();
          const isCommitted = JSON.stringify(after) !== JSON.stringify(before);
          if (isCommitted) lostAnswers += 1;
          else expect(after).toEqual(before);
          const again = await client.push(...second);
          expect(again.json.results.map(({ status }) => status)).toEqual(
            isCommitted ? statuses.map((status) => (status === "applied" ? "duplicate" : status)) : statuses,
          );
          expect(again.json.lastMutationIDs).toEqual({ c1: 6, c2: 1 });
          const end = await server.dump();
          expect(end["notes"]?.map((row: any) => row.id)).toEqual(["n2", "n9"]);
          expect([end["tags"], end["posts"]?.map((row: any) => row.id)]).toEqual([[], ["p1"]]);
          expect(end["_plasma_changes"]?.filter((row: any) => row.op === "ack")).toHaveLength(7);
        }
        // The commit itself is one event, whose answer may be lost after it took effect.
        expect(failures).toBeGreaterThan(6);
        expect(lostAnswers).toBe(1);
      },
    );

    test(
      "a failure at any statement of a pull answers 503, and the same cookie goes on",
      { timeout: 120_000 },
      async () => {
        for (const limit of [undefined, 1]) {
          for (let at = 1; ; at++) {
            const { client, fault } = await start();
            Object.assign(fault, { at, count: 0, isOn: true });
            const answer = await client.pullPage(limit);
            fault.isOn = false;
            if (fault.count < at) break;
            expect([answer.status, (answer.json as any).code, client.cookie]).toEqual([503, "server/retry", undefined]);
            await client.pull(limit);
            expect([...client.rows.keys()].sort()).toEqual(["notes/n1", "tags/t1"]);
            expect(client.lastMutationIDs).toEqual({ c1: 2 });
          }
        }
      },
    );
  });
}
