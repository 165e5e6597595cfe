// Owns: the tag of a log entry: 8 random bytes as hex digits, by which a cookie tells that the log is still the one that it
// was made of.

import type { DialectName } from "../database/sql-executor.ts";

export const tagSql: { readonly [dialect in DialectName]: string } = {
  sqlite: "lower(hex(randomblob(8)))",
  // The only source of strong randomness without an extension. Six of its bits are fixed, so they are spread first.
  postgres: "left(encode(sha256(uuid_send(gen_random_uuid())), 'hex'), 16)",
};
