// Owns: bugs to plant in the server's push.

import type { PlantedBug } from "./planted-bug.ts";

const BUFFERED = "server/database/buffered-transaction.ts";

export const pushBugs: readonly PlantedBug[] = [
  {
    name: "no-dedupe",
    about: "the last id of a client runs again when it is pushed again",
    edits: [
      {
        file: "server/sync/push.ts",
        find: "const isKnown = mutation.id <= must(",
        replace: "const isKnown = mutation.id < must(",
      },
      {
        file: "server/sync/push-plan.ts",
        find: "if (mutation.id === last + 1) next.set",
        replace: "if (mutation.id >= last) next.set",
      },
    ],
  },
  {
    name: "id-advances-before-commit",
    about: "last ids leave in a batch of their own, before the rows (D1)",
    edits: [
      {
        file: BUFFERED,
        find: "await this.#deps.executor.batch(statements);",
        replace:
          "if (this.#acks.length > 0) await this.#deps.executor.batch([statements.shift() as SqlStatement, statements.pop() as SqlStatement]);\n" +
          "      await this.#deps.executor.batch(statements);",
      },
    ],
  },
  {
    name: "batch-without-guard",
    about: "a push on D1 commits whatever others have changed since it read",
    edits: [
      {
        file: BUFFERED,
        find: "const statements = [this.#guard(), ...this.#statements];",
        replace: "const statements = [...this.#statements];",
      },
    ],
  },
  {
    name: "guard-forgets-tables",
    about: "the guard on D1 asks for last ids alone",
    edits: [{ file: BUFFERED, find: "tablesRead: this.#tablesRead,", replace: "tablesRead: []," }],
  },
  {
    name: "rejection-forgotten",
    about: "a refusal is in the answer and nowhere else",
    edits: [{ file: "server/sync/push.ts", find: "tx.advance(origin, error);", replace: "tx.advance(origin);" }],
  },
  {
    name: "trouble-becomes-refusal",
    about: "a failure of the database is recorded as a refusal of the mutation",
    edits: [
      {
        file: "server/sync/rejection.ts",
        find: 'isPlasmaError(error, "server/retry") || isPlasmaError',
        replace: "isPlasmaError",
      },
      { file: BUFFERED, find: "this.#gate.check();\n    if (this.#statements", replace: "if (this.#statements" },
      {
        file: "server/database/interactive-transaction.ts",
        find: "      gate.check();\n      this.#closeSavepoint([rollback",
        replace: "      this.#closeSavepoint([rollback",
      },
      {
        file: "server/database/interactive-transaction.ts",
        find: "    this.#start.gate.check();\n    // On",
        replace: "    // On",
      },
    ],
  },
  {
    name: "savepoint-kept",
    about: "a refused mutation's writes stay in the transaction (SQLite)",
    edits: [
      {
        file: "server/database/interactive-transaction.ts",
        find: "this.#closeSavepoint([rollback, release]);",
        replace: "this.#closeSavepoint([release]);",
      },
    ],
  },
  {
    name: "overlay-kept",
    about: "mutations after a refused one read what it wrote (D1)",
    edits: [{ file: BUFFERED, find: "this.#overlay.backTo(mark);", replace: "" }],
  },
];
