// Owns: what must hold of local-only rows: on each device there are exactly those of the calls that it has saved, each written
// once, whatever became of the calls on the server.

import { DRAFTING, TICKS } from "./features-local.ts";
import type { CallRecord } from "./history.ts";
import type { RunScope } from "./run-scope.ts";

export function checkDrafts({ world, history, apps }: RunScope): void {
  if (!apps.v1.tables.has("drafts")) return;
  for (const { name, disk } of world.devices) {
    const say = (what: string) => history.violate(`${name} ${what}`);
    const rows = disk.table("drafts");
    const calls = [...history.calls.values()].filter(({ device }) => device === name);
    const drafting = calls.filter(({ call }) => DRAFTING.has(call.name));
    const known = new Set([TICKS, ...drafting.map(({ token }) => token)]);
    for (const id of rows.keys()) if (!known.has(id)) say(`has a draft that nobody there made: ${id}`);
    for (const { token, local } of drafting) {
      const runs = rows.get(token)?.["runs"];
      if (runs === undefined && local === "durable") say(`has lost the draft of ${token}`);
      if (runs !== undefined && local === "failed") say(`has the draft of ${token}, which failed`);
      if (runs !== undefined && runs !== 1) say(`has written the draft of ${token} ${String(runs)} times`);
    }
    checkTicks(calls, Number(rows.get(TICKS)?.["runs"] ?? 0), say);
    history.count("drafts: compared", drafting.length);
  }
}

/**
 * A tab that died may have saved its last call without hearing of it. Two tabs that count at once may count the same: nothing
 * runs such a mutation again.
 */
function checkTicks(calls: readonly CallRecord[], count: number, say: (what: string) => void): void {
  const ticks = calls.filter(({ call }) => call.name === "tick");
  const durable = ticks.filter(({ local }) => local === "durable").length;
  const isOneTab = new Set(ticks.map(({ tab }) => tab)).size === 1;
  const least = isOneTab ? durable : Math.min(1, durable);
  const most = ticks.filter(({ local }) => local !== "failed").length;
  if (count < least || count > most) say(`counts ${count} ticks, of which ${least} to ${most} were saved`);
}
