// Owns: a Replicache for the workloads: pulls that the page itself answers, pushes held back, and how one learns that it has
// persisted.

import {
  Replicache,
  TEST_LICENSE_KEY,
  type IndexDefinitions,
  type MutatorDefs,
  type PatchOperation,
  type ReadonlyJSONValue,
} from "replicache";
import type { Item } from "./kilobyte-rows.ts";

export interface ReplicacheParts<M extends MutatorDefs> {
  /** Default "bench". */
  readonly name?: string;
  readonly mutators?: M;
  readonly indexes?: IndexDefinitions;
  /** The whole answer of the pull with no cookie; later pulls bring nothing. */
  readonly firstPull?: () => readonly Item[];
}

const indexed = { rank: { jsonPointer: "/rank" }, label: { jsonPointer: "/label" } };

/** The first `count` of the indexes on rank and label. */
export const indexDefinitions = (count: number): IndexDefinitions =>
  Object.fromEntries(Object.entries(indexed).slice(0, count));

export const putAll = (items: readonly Item[]): PatchOperation[] =>
  items.map((item) => ({ op: "put", key: item.id, value: item as unknown as ReadonlyJSONValue }));

export function openReplicache<M extends MutatorDefs>({ name = "bench", ...parts }: ReplicacheParts<M>) {
  return new Replicache<M>({
    name,
    licenseKey: TEST_LICENSE_KEY,
    logLevel: "error",
    pullInterval: null,
    pushDelay: 1e9,
    pusher: async () => ({ httpRequestInfo: { httpStatusCode: 503, errorMessage: "held back" } }),
    puller: async ({ cookie }: { cookie: ReadonlyJSONValue }) => ({
      response: {
        cookie: 1,
        lastMutationIDChanges: {},
        patch: cookie === null ? putAll(parts.firstPull?.() ?? []) : [],
      },
      httpRequestInfo: { httpStatusCode: 200, errorMessage: "" },
    }),
    ...(parts.mutators === undefined ? {} : { mutators: parts.mutators }),
    ...(parts.indexes === undefined ? {} : { indexes: parts.indexes }),
  });
}

/**
 * Resolves when Replicache says the next time that it has written its state to IndexedDB: it tells its other tabs so by this
 * channel, at the end of a run that begins when the page is idle, at the latest a second after a change.
 */
export function nextPersist(name = "bench"): Promise<void> {
  const channel = new BroadcastChannel(`replicache-on-persist:${name}`);
  return new Promise((resolve) => {
    channel.onmessage = () => {
      channel.close();
      resolve();
    };
  });
}
