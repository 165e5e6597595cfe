// Owns: ReadScope: whose rows a pull reads, and from where.

import type { AnySchema } from "../../core/schema/schema.ts";
import type { SqlExecutor } from "../database/sql-executor.ts";
import type { ReadRules } from "./read-rules.ts";

export interface ReadScope {
  readonly schema: AnySchema;
  readonly executor: SqlExecutor;
  readonly rules: ReadRules;
}
