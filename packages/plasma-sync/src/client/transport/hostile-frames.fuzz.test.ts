// Owns: that nothing which a server sends over a socket breaks a client: whatever is no frame is nothing, whatever is one is used
// as far as it goes, and the connection stays.

import fc from "fast-check";
import { expect, test } from "vitest";
import { createVirtualEnv } from "../../core/lib/virtual-env.ts";
import type { Poke, SubscribeSession } from "../plasma-client.ts";
import { createPresence } from "../presence/presence.ts";
import { createClientStatus } from "../sync/client-status.ts";
import { createSocketPairs } from "./socket-pair.fixture.ts";
import { openSyncSocket } from "./sync-socket.ts";

const RUNS = 300;

const json = fc.jsonValue({ maxDepth: 4 });
const frame = fc.record(
  {
    type: fc.constantFrom("poke", "presence", "presence-delta", "hello", "pong", "later"),
    patch: fc.oneof(json, fc.record({ from: json, cookie: json, patch: fc.array(json), lastMutationIDs: json })),
    entries: fc.oneof(json, fc.array(fc.oneof(json, fc.record({ clientID: json, userInfo: json })))),
    put: fc.oneof(json, fc.array(fc.oneof(json, fc.record({ clientID: fc.constantFrom("a", "b"), userInfo: json })))),
    del: fc.oneof(json, fc.array(fc.constantFrom("a", "b", "__proto__"))),
  },
  { requiredKeys: ["type"] },
);
const text = fc.oneof(
  fc.string(),
  json.map((value) => JSON.stringify(value)),
  frame.map((value) => JSON.stringify(value)),
  frame.map((value) => JSON.stringify(value).slice(0, -2)),
  fc.constantFrom("[".repeat(100_000), '{"type":"poke","patch":{"__proto__":{}}}', "pong", "", "null"),
);

test(`no frame breaks the socket of a client or of a room (${RUNS} runs)`, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 12 }), async (texts) => {
      const env = createVirtualEnv();
      const pairs = createSocketPairs();
      const { WebSocketImpl } = pairs;
      pairs.onConnect = (end) => end.accept();
      const pokes: (Poke | undefined)[] = [];
      const status = createClientStatus();
      const session: SubscribeSession = {
        clientID: "c1",
        clientGroupID: "ada",
        replicaID: "r1",
        schemaVersion: "1",
        cookie: () => null,
        status,
        env,
        connected: () => undefined,
        setAuth: () => expect.fail("nobody was refused"),
        report: () => expect.fail("nothing is worth an error"),
      };
      const delays = { initialReconnectDelayMs: 500, maxReconnectDelayMs: 30_000 };
      const options = { url: "/sync/coordinator", room: "r", WebSocketImpl, ...delays, onPresence: () => undefined };
      const close = openSyncSocket(options, (poke) => void pokes.push(poke), session);
      const presence = createPresence({ url: "/sync/coordinator", room: "r", clientID: "c1", WebSocketImpl, env });
      await env.advance(0);
      for (const end of pairs.ends) for (const one of texts) end.send(one);
      await env.advance(0);
      expect(pairs.ends.map(({ isOpen }) => isOpen)).toEqual([true, true]);
      for (const poke of pokes) if (poke?.patch !== undefined) expect(Array.isArray(poke.patch.patch)).toBe(true);
      for (const { clientID } of presence.get().all) expect(typeof clientID).toBe("string");
      close();
      presence.close();
      await env.advance(0);
      expect(env.timerCount).toBe(0);
    }),
    { numRuns: RUNS },
  );
});
