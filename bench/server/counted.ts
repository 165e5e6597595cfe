// Owns: counting the statements that an executor is given.

import type { SqlExecutor } from "plasma-sync/server";

export interface Counted {
  readonly executor: SqlExecutor;
  /** Statements so far, BEGIN and COMMIT not among them. */
  readonly texts: string[];
}

export function counted(executor: SqlExecutor): Counted {
  const texts: string[] = [];
  const all: SqlExecutor["all"] = (statement) => {
    texts.push(statement.text);
    return executor.all(statement);
  };
  return {
    texts,
    executor: {
      ...executor,
      all,
      run: async (statement) => {
        texts.push(statement.text);
        return executor.run(statement);
      },
      batch: (statements) => {
        for (const { text } of statements) texts.push(text);
        return executor.batch(statements);
      },
      transaction: (fn) =>
        executor.transaction((connection) =>
          fn({
            all: (statement) => {
              texts.push(statement.text);
              return connection.all(statement);
            },
            run: (statement) => {
              texts.push(statement.text);
              return connection.run(statement);
            },
          }),
        ),
    },
  };
}
