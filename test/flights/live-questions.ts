// Owns: all questions, live at once on the incremental runtime and watched: rows, deltas, identity, deliveries.

import { createQueryRuntime } from "../../packages/plasma-sync/src/client/ivm/create-query-runtime.ts";
import type { RowChange } from "../../packages/plasma-sync/src/client/ivm/source.ts";
import type { ResultRow, SelectNode } from "../../packages/plasma-sync/src/core/index.ts";
import { showOf } from "../query/show.ts";
import { watchLive, type Watched } from "../query/watch-live.ts";
import type { Tables } from "./dataset.ts";
import { questions } from "./questions.ts";
import { schema } from "./schema.ts";

interface LiveQuestion {
  readonly question: string;
  readonly query: SelectNode;
  readonly watched: Watched;
  readonly hydrateMs: number;
  shown: string;
}

export interface LiveQuestions {
  readonly list: readonly Readonly<LiveQuestion>[];
  /** How many answers a commit altered so far, over all commits. */
  altered: number;
  /** Checks that every question shows what `ask` answers. */
  check(ask: (query: SelectNode) => Promise<readonly ResultRow[]>): Promise<void>;
  /** Commits, and checks the deliveries too. `ask` answers after the commit. */
  commit(changes: readonly RowChange[], ask: (query: SelectNode) => Promise<readonly ResultRow[]>): Promise<void>;
}

export function askLive(tables: Tables): LiveQuestions {
  const runtime = createQueryRuntime({ schema });
  for (const [table, rows] of tables) runtime.fill(table, [...rows.values()]);
  runtime.setStatus("complete");
  const list = Object.entries(questions).map(([question, query]): LiveQuestion => {
    const start = performance.now();
    const watched = watchLive(runtime.live(query));
    return { question, query, watched, hydrateMs: performance.now() - start, shown: "" };
  });
  return {
    list,
    altered: 0,
    async check(ask) {
      for (const entry of list) {
        const answer = await ask(entry.query);
        naming(entry, () => entry.watched.checkRows(answer));
        entry.shown = showOf(answer);
      }
    },
    async commit(changes, ask) {
      for (const { watched } of list) watched.startCommit();
      runtime.commit(changes);
      for (const entry of list) {
        const answer = await ask(entry.query);
        const isAltered = showOf(answer) !== entry.shown;
        if (isAltered) this.altered += 1;
        entry.shown = showOf(answer);
        naming(entry, () => {
          entry.watched.checkRows(answer);
          entry.watched.checkDelivery(isAltered);
        });
      }
    },
  };
}

/** Says in an error of which question it is. */
function naming({ question }: LiveQuestion, check: () => void): void {
  try {
    check();
  } catch (error) {
    (error as Error).message = `${question}\n${(error as Error).message}`;
    throw error;
  }
}
