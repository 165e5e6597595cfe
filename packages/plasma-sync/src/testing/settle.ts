// Owns: settle, which lets a world come to rest: every mutation decided, every reachable client at the end of the server's log.

import * as limits from "../core/limits.ts";
import type { SqlExecutor } from "../server/database/sql-executor.ts";
import { parseCookie } from "../server/sync/cookie.ts";
import type { SimWorld } from "./sim-world.ts";
import { TestFailure } from "./test-failure.ts";
import type { TestTab } from "./test-tab.ts";
import type { TestTime } from "./test-time.ts";

export interface SettleScope {
  readonly world: SimWorld;
  readonly time: TestTime;
  readonly executor: SqlExecutor;
  readonly clients: readonly TestTab[];
}

/** Milliseconds after which other tabs have what one has pulled. */
const BROADCAST_MS = 50;

/** Waits until nothing is pending; leaves out who is offline, frozen, closed or refused. */
export async function settle(scope: SettleScope): Promise<void> {
  const { world, time } = scope;
  const reachable = () => scope.clients.filter((client) => client.unreachable === null);
  if (reachable().length > 0 && world.server.running === null)
    throw new TestFailure(
      "test/stuck",
      "settle(): no server runs, so nothing can settle. world.server.start() starts one.",
    );
  const deadline = time.now + limits.testWaitMsMax;
  for (;;) {
    await time.until("settle()", () => reachable().every((client) => client.isQuiet));
    // Even who has the whole log: their rights may have changed.
    await Promise.all(reachable().map((client) => client.pullOnce()));
    await time.advance(BROADCAST_MS);
    if (await areAtHead(scope, reachable())) return;
    if (time.now > deadline) await time.until("settle()", () => false);
  }
}

async function areAtHead({ executor }: SettleScope, clients: readonly TestTab[]): Promise<boolean> {
  const [row] = await executor.all({ text: "SELECT max(row_version) AS head FROM _plasma_changes", params: [] });
  const head = Number(row?.["head"] ?? 0);
  return clients.every(({ status }) => {
    const { cookie, outboxDepth, firstSync } = status.get();
    if (cookie === null || outboxDepth > 0 || !firstSync.done) return false;
    const { version, page } = parseCookie(cookie);
    return page === null && version >= head;
  });
}
