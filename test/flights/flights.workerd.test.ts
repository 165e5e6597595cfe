// D1, in the Workers runtime, gives the answers of the naive evaluation to the questions about flights, also after edits.

import { reset } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { test } from "vitest";
import { evaluate } from "../../packages/plasma-sync/src/core/query/evaluate.ts";
import { fromD1 } from "../../packages/plasma-sync/src/server/database/from-d1.ts";
import { expectSame } from "../query/mismatch.ts";
import { loadTables } from "./dataset.ts";
import { drawEdits } from "./edits.ts";
import { onSqlite } from "./flights-database.ts";
import { questions } from "./questions.ts";

const SAMPLE = 600;
const EDITS = 10;
const SEED = 20_010_102;

test("D1 answers the questions about flights as the naive evaluation does", async () => {
  await reset();
  const tables = loadTables(SAMPLE, { onlyUsed: true });
  const d1 = await onSqlite(fromD1(env.DB), tables);
  const check = async (): Promise<void> => {
    for (const [question, query] of Object.entries(questions)) {
      const expected = evaluate(query, (table) => tables.get(table)?.values() ?? []);
      expectSame(`D1: ${question}`, await d1.ask(query), expected, { isRounding: true });
    }
  };
  await check();
  for (const changes of drawEdits(tables, SEED, EDITS)) await d1.commit(changes);
  await check();
});
