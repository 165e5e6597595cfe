// Owns: what one page of log entries means to a caller: row changes folded, ids advanced, rejections. Pure. Folded rows remember
// what they parsed, for callers that share a page.
// Invariants:
//   1. Several changes of a row fold into one op, at the place of the last.
//   2. Every image of the row that the page holds is kept: the rule for `del` asks each of them.

import type { PatchOp, Rejection } from "../../core/protocol/pull.ts";
import { toRejection, type Audience, type LogEntry } from "./log-reads.ts";
import type { ReadRules } from "./read-rules.ts";
import { RowHistory, transitionOp } from "./visibility.ts";

export interface LogNews {
  readonly lastMutationIDs: { readonly [clientID: string]: number };
  readonly rejected: readonly Rejection[];
}

/** The ops of the page for the caller, of the tables whose rules see one row alone. */
export function patchOf(histories: Iterable<RowHistory>, rules: ReadRules): PatchOp[] {
  const patch: PatchOp[] = [];
  for (const history of histories) {
    const meta = rules.schema.tablesByName.get(history.table);
    // A table that was dropped from the schema.
    if (meta === undefined) continue;
    const rule = rules.of(meta);
    const op = rule.type === "row" ? transitionOp(meta, rule, history) : null;
    if (op !== null) patch.push(op);
  }
  return patch;
}

/** The audience's advances and refusals among the entries. */
export function newsOf(entries: readonly LogEntry[], audience: Audience): LogNews {
  const lastMutationIDs: { [clientID: string]: number } = Object.create(null);
  const rejected: Rejection[] = [];
  for (const { op, clientID, mutationID, value, ...origin } of entries) {
    if (op !== "ack" || clientID === null || mutationID === null || !concerns(origin, audience)) continue;
    lastMutationIDs[clientID] = mutationID;
    if (value !== null) rejected.push(toRejection(clientID, mutationID, value));
  }
  return { lastMutationIDs, rejected };
}

function concerns(
  origin: Pick<LogEntry, "clientGroupID" | "replicaID">,
  { clientGroupID, replicaID }: Audience,
): boolean {
  return origin.clientGroupID === clientGroupID && (replicaID === undefined || origin.replicaID === replicaID);
}

/** The rows that the entries change, in the order of their last changes. */
export function foldRows(entries: readonly LogEntry[]): Iterable<RowHistory> {
  const histories = new Map<string, RowHistory>();
  for (const { op, table, rowID, before, value } of entries) {
    if (op === "ack" || table === null || rowID === null) continue;
    const key = `${table} ${rowID}`;
    const history = histories.get(key) ?? new RowHistory({ table, id: rowID, before });
    history.add(op === "put" ? value : null);
    // Set anew, so that the map's order is that of last changes.
    histories.delete(key);
    histories.set(key, history);
  }
  return [...histories.values()];
}
