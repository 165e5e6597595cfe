// Owns: what tabs tell each other of large commits, with real IndexedDB, channels and locks; the server is scripted. Two clients
// stand for two tabs.

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { systemEnv } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { defineMutators } from "../../core/mutation/mutator.ts";
import { id, text } from "../../core/schema/column.ts";
import { defineSchema } from "../../core/schema/schema.ts";
import { table } from "../../core/schema/table.ts";
import { createPlasmaClient } from "../client.ts";
import { databaseName } from "../store/layout.ts";
import type { TabMessage } from "./tab-links.ts";

const notes = table("notes", { id: id(), body: text() });
const schema = defineSchema({ notes });
const mutators = defineMutators<typeof schema, unknown>()({});
const MANY = limits.tabCommitRowsMax + 1;

export function commitNewsSuite(where: string): void {
  describe(`news of large commits on ${where}`, () => {
    let name = "";
    let version = 0;
    const open: { close(): unknown }[] = [];
    /** Hears what tabs tell, and is heard by none. */
    let told: TabMessage[] = [];

    beforeEach(() => {
      name = systemEnv.randomUUID();
      version = 1;
      told = [];
      const channel = new BroadcastChannel(databaseName(name, "group"));
      channel.onmessage = ({ data }: MessageEvent<TabMessage>) => told.push(data);
      open.push(channel);
    });
    afterEach(async () => {
      for (const each of open.splice(0)) await each.close();
    });

    /** Each version of the server has all rows, with a text of its own. */
    const fetcher = async (request: Request): Promise<Response> => {
      const cookie = String(version);
      const isNew = new URL(request.url).searchParams.get("cookie") !== cookie;
      const rows = Array.from({ length: isNew ? MANY : 0 }, (_, i) => ({ id: `n${i}`, body: cookie }));
      const patch = rows.map((value) => ({ op: "put", table: "notes", id: value.id, value }));
      return Response.json({ cookie, patch, lastMutationIDs: {} });
    };
    const openTab = () => {
      const client = createPlasmaClient({
        schema,
        mutators,
        dbName: name,
        endpoint: "http://sync.test",
        schemaVersion: "1",
        clientGroupID: "group",
        getContext: () => null,
        pollIntervalMs: 1e9,
        fetcher,
      });
      open.push(client);
      return client;
    };
    const commits = () => told.filter(({ type }) => type === "commit" || type === "stored").map(({ type }) => type);
    const bodiesIn = async (client: ReturnType<typeof openTab>) =>
      (await client.db.select().from(notes)).filter(({ body }) => body === String(version)).length;

    test("a tab that has heard of no other tells the number of a large commit, and then the whole of the next", async () => {
      const first = openTab();
      await first.pullOnce();
      await vi.waitFor(() => expect(commits()).toEqual(["stored"]));
      const second = openTab();
      await second.pullOnce();
      version = 2;
      await first.pullOnce();
      await vi.waitFor(() => expect(commits()).toEqual(["stored", "commit"]));
      await vi.waitFor(async () => expect(await bodiesIn(second)).toBe(MANY));
    });

    test("a tab that has said nothing reads the commit from disk", async () => {
      const silent = openTab();
      await silent.pullOnce();
      silent.stop();
      const leader = openTab();
      await vi.waitFor(() => expect(leader.status.get().role).toBe("leader"));
      version = 2;
      told = [];
      await leader.pullOnce();
      await vi.waitFor(() => expect(commits()).toContain("stored"));
      await vi.waitFor(async () => expect(await bodiesIn(silent)).toBe(MANY));
    });
  });
}
