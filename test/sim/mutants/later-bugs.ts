// Owns: bugs to plant in sockets, files and tables of the device alone.

import type { PlantedBug } from "./planted-bug.ts";

export const laterBugs: readonly PlantedBug[] = [
  {
    name: "no-pull-at-reconnect",
    about: "what changed while the socket was down is not asked for",
    edits: [
      {
        file: "client/transport/sync-socket.ts",
        find: "    this.#onPoke();\n",
        replace: "",
      },
    ],
  },
  {
    name: "patch-by-anothers-rules",
    about: "who is sent a patch gets it by the rules of whoever was sent one first",
    edits: [
      {
        file: "server/realtime/patch-round.ts",
        find: "rules: new ReadRules(schema, reader.auth.ctx)",
        replace: "rules: ((this as any).firstRules ??= new ReadRules(schema, reader.auth.ctx))",
      },
    ],
  },
  {
    name: "dead-connection-kept",
    about: "a connection that answers no ping is never given up",
    edits: [
      {
        file: "client/transport/socket-machine.ts",
        find: 'return phase === "open" || phase === "connecting" ? failed(state, options) : stay(state);',
        replace: 'return phase === "connecting" ? failed(state, options) : stay(state);',
      },
    ],
  },
  {
    name: "presence-of-the-dead",
    about: "members whose connections went silent stay in the room",
    edits: [
      {
        file: "server/realtime/hub.ts",
        find: "listener.silentMs(now) <= limits.socketSilenceMsMax",
        replace: "listener.silentMs(now) <= Infinity",
      },
    ],
  },
  {
    name: "held-lets-others-pass",
    about: "later mutations of the client do not wait for one that is held",
    edits: [
      {
        file: "client/replica/held-mutations.ts",
        find: "if (isHeld) clients.add(clientID);",
        replace: "",
      },
    ],
  },
  {
    name: "refused-file-leaves-a-gap",
    about: "behind a mutation that was refused unsent, the others keep their ids",
    edits: [
      {
        file: "client/store/plan-commit.ts",
        find: "({ ...entry, id: entry.id - 1 })",
        replace: "({ ...entry })",
      },
    ],
  },
  {
    name: "collection-ignores-refs",
    about: "the bytes of files go though rows refer to them",
    edits: [
      {
        file: "server/blob/collect-blobs.ts",
        find: "      `AND NOT EXISTS (SELECT 1 FROM _plasma_blob_refs AS r WHERE r.hash = b.hash))`;",
        replace: "      `)`;",
      },
      {
        file: "server/blob/collect-blobs.ts",
        find: "coalesce(sum(CASE WHEN touched_at < ?2 AND NOT EXISTS ` +\n          `(SELECT 1 FROM _plasma_blob_refs AS r WHERE r.hash = b.hash) THEN 1 ELSE 0 END), 0) AS found ` +",
        replace: "coalesce(sum(CASE WHEN touched_at < ?2 THEN 1 ELSE 0 END), 0) AS found ` +",
      },
    ],
  },
  {
    name: "anybody-reads-a-file",
    about: "who knows a hash is given the bytes, whatever rows they see",
    edits: [
      {
        file: "server/blob/readable-refs.ts",
        find: 'rows.filter((row) => rule.type === "query" || rule.sees(row))',
        replace: "rows",
      },
    ],
  },
  {
    name: "local-write-in-replay",
    about: "a replay writes rows of local-only tables again",
    edits: [
      {
        file: "client/replica/replica-transaction.ts",
        find: "this.#undo((table) => this.#localTables.has(table));",
        replace: "void this.#localTables;",
      },
      {
        file: "client/replica/replica-transaction.ts",
        find: "return this.#isReplay && this.#localTables.has(table);",
        replace: "return this.#isReplay && table === '';",
      },
    ],
  },
  {
    name: "local-mutation-pushed",
    about: "a mutation that wrote local-only tables alone is sent",
    edits: [
      {
        file: "client/replica/replica.ts",
        find: "if (local.length > 0 && effect.writes.tables.size === 0) {",
        replace: "if (local.length > 0 && effect.writes.tables.size < 0) {",
      },
    ],
  },
];
