// Owns: the query engine behind `client.db`: reads and live queries on the replica's view, once it is loaded.

import { PlasmaError } from "../core/error.ts";
import type { QueryEngine } from "../core/query/query-engine.ts";
import type { QueryRuntime } from "./ivm/query-runtime.ts";
import type { Replica } from "./replica/replica.ts";

/** Makes an engine that only reads. `loaded` resolves when the view is there. */
export function createViewEngine(runtime: QueryRuntime, replica: Replica, loaded: () => Promise<void>): QueryEngine {
  return {
    select: async (query) => {
      await loaded();
      return runtime.read(query).catch(async (error: unknown) => {
        // Rows could not be had from disk as they were: the replica reads everything anew.
        await replica.refresh();
        if (!replica.isWarm) throw error;
        return runtime.select(query);
      });
    },
    write: async ({ type, table }) => {
      throw new PlasmaError("client/write-outside-mutator", { statement: type, table });
    },
    live: (query) => runtime.live(query),
    explain: (query) => runtime.explain(query),
  };
}
