// Owns: what must hold of files when a run has come to rest: what a row shows can be read by all who see the row, whole; by
// nobody else; what was refused is nowhere.

import type { FileRef, Row } from "../../packages/plasma-sync/src/core/schema/value.ts";
import type { SimTab } from "../../packages/plasma-sync/src/testing/sim-world.ts";
import { USERS } from "./feature.ts";
import { hashOf } from "./features-files.ts";
import type { RunScope } from "./run-scope.ts";

export async function checkFiles(run: RunScope, rows: readonly Row[]): Promise<void> {
  const { history, apps } = run;
  if (!apps.v1.tables.has("pictures")) return;
  for (const { id } of rows)
    if (/^(unwanted|stolen)/.test(String(id)))
      history.violate(`the server has the picture ${String(id)}, which was refused`);
  for (const { call, token, server } of history.calls.values()) {
    const mustBeTaken = call.name === "hang" || call.name === "hangSecret";
    const isExcused = history.restoredMs !== null || history.counts.has("server: blobs collected");
    if (mustBeTaken && server === "rejected" && !isExcused) history.violate(`${call.name} ${token} was refused`);
    if (call.name === "hangUnwanted" && server === "applied") history.violate(`${token} was applied without its file`);
  }
  for (const user of USERS) await askServer(run, user, rows);
  for (const tab of run.openTabs) await askTab(run, tab, rows);
}

const refOf = (row: Row): FileRef | null => row["image"] as FileRef | null;

const isSeen = (row: Row, user: string): boolean => row["isOpen"] === true || row["ownerId"] === user;

/** Of every hash, by its name. */
async function askServer(run: RunScope, user: string, rows: readonly Row[]): Promise<void> {
  const { history } = run;
  const { running } = run.world.server;
  const hashes = new Set(rows.flatMap((row) => refOf(row)?.hash ?? []));
  for (const hash of hashes) {
    const url = `http://plasma.test/sync/blob/${hash}`;
    if (running === null) return;
    const answer = await run.during(running.handle({ method: "GET", url, headers: [["x-user", user]], body: null }));
    const refs = rows.filter((row) => refOf(row)?.hash === hash);
    const mayRead = refs.some((row) => isSeen(row, user) && refOf(row)?.inline === undefined);
    const isInline = refs.some((row) => refOf(row)?.inline !== undefined);
    if (answer.status === 200 && !refs.some((row) => isSeen(row, user)))
      history.violate(`${user} was given the file ${hash} of nobody's row`);
    if (answer.status !== 200 && mayRead && !isInline)
      history.violate(`${user} cannot read ${hash}: ${answer.status} ${answer.body}`);
    if (answer.status === 200 && hashOf(answer.body) !== hash) history.violate(`${hash} has other bytes`);
    history.count(`file: asked, ${answer.status}`);
  }
}

async function askTab(run: RunScope, tab: SimTab, rows: readonly Row[]): Promise<void> {
  const { world, history } = run;
  if (world.server.running === null) return;
  for (const row of rows) {
    const ref = refOf(row);
    if (ref === null || !isSeen(row, tab.device.user)) continue;
    const read = await run.during(tab.client.readFile(ref));
    const text = "bytes" in read ? await read.bytes.text() : null;
    if (text === null || hashOf(text) !== ref.hash)
      history.violate(`${tab.name} of ${tab.device.name} reads ${String(row["id"])} as ${JSON.stringify(read)}`);
    history.count(`file: read as ${read.status}`);
  }
}
