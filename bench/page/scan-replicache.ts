// Owns: the `scan` work on Replicache.

import { Replicache, TEST_LICENSE_KEY, type ReadonlyJSONValue } from "replicache";
import type { RunResult } from "./run-request.ts";
import { itemAt, sample, type Item, type ScanParams } from "./scan-work.ts";

export async function run(params: ScanParams): Promise<RunResult> {
  const rep = new Replicache({
    name: "bench",
    licenseKey: TEST_LICENSE_KEY,
    logLevel: "error",
    pullInterval: null,
    puller: async () => ({
      response: {
        cookie: 1,
        lastMutationIDChanges: {},
        patch: Array.from({ length: params.rows }, (_, i) => itemAt(i)).map((item) => ({
          op: "put" as const,
          key: item.id,
          value: item as unknown as ReadonlyJSONValue,
        })),
      },
      httpRequestInfo: { httpStatusCode: 200, errorMessage: "" },
    }),
  });
  await rep.pull();
  const scan = () => rep.query((tx) => tx.scan().values().toArray());
  const result = await sample(params, async () => (await scan()) as unknown as Item[]);
  await rep.close();
  return result;
}
