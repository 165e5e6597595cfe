// Owns: the `rebase` work on Replicache.

import { Replicache, TEST_LICENSE_KEY, type ReadonlyJSONValue, type WriteTransaction } from "replicache";
import { digest, itemAt, itemID, markerOf, pulledItems, type Item, type RebaseParams } from "./rebase-work.ts";
import type { RunResult } from "./run-request.ts";

interface Patch {
  readonly op: "put";
  readonly key: string;
  readonly value: ReadonlyJSONValue;
}

const put = (item: Item): Patch => ({ op: "put", key: item.id, value: item as unknown as ReadonlyJSONValue });

export async function run(params: RebaseParams): Promise<RunResult> {
  let round = 0;
  let cookie = 0;
  let handedOverMs = 0;
  const rep = new Replicache({
    name: "bench",
    licenseKey: TEST_LICENSE_KEY,
    logLevel: "error",
    pullInterval: null,
    pushDelay: 1e9,
    pusher: async () => ({ httpRequestInfo: { httpStatusCode: 503, errorMessage: "held back" } }),
    puller: async () => {
      const first = cookie === 0 ? Array.from({ length: params.rows }, (_, i) => itemAt(i)) : [];
      const patch = (round === 0 ? first : pulledItems(params, round)).map(put);
      cookie += 1;
      handedOverMs = performance.now();
      return {
        response: { cookie, lastMutationIDChanges: {}, patch },
        httpRequestInfo: { httpStatusCode: 200, errorMessage: "" },
      };
    },
    mutators: {
      async increment(tx: WriteTransaction, id: string) {
        const item = (await tx.get(id)) as unknown as Item;
        await tx.set(id, { ...item, n: item.n + 1 });
      },
    },
  });
  await rep.pull();
  for (let i = 0; i < params.pending; i++) await rep.mutate.increment(itemID(i % (params.rows - 1)));

  let delivered: () => void = () => undefined;
  const marker = itemID(markerOf(params));
  const stop = rep.subscribe(
    async (tx) => ((await tx.get(marker)) as unknown as Item).text,
    (text) => {
      if (text === pulledItems(params, round).at(-1)?.text) delivered();
    },
  );
  const ms: number[] = [];
  for (round = 1; round <= params.samples; round++) {
    const done = new Promise<void>((resolve) => (delivered = resolve));
    void rep.pull();
    await done;
    ms.push(performance.now() - handedOverMs);
  }
  stop();
  const items = await rep.query((tx) => tx.scan().values().toArray());
  await rep.close();
  return { figures: { "": ms }, answer: digest(items as unknown as Item[]) };
}
