// Owns: writing SQL text: names, literals, long chains.

/** A table's or column's name as SQL text. */
export const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;

/** A text literal, for constants of the schema only: values of rows and queries are bound. */
export const quoteText = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** Constants of conditions. A bare TRUE would be a column where SQLite finds one of that name. */
export const TRUE = "1 = 1";
export const FALSE = "1 = 0";

/** `a AND b AND …` as a balanced tree: a chain of n terms would be n deep, and D1 refuses a depth over 100. */
export function balanced(terms: readonly string[], operator: "AND" | "OR"): string {
  if (terms.length <= 2) return terms.map((term) => `(${term})`).join(` ${operator} `);
  const middle = terms.length >> 1;
  return `(${balanced(terms.slice(0, middle), operator)}) ${operator} (${balanced(terms.slice(middle), operator)})`;
}
