// Owns: the column of files. Apart from the others: an app without files loads none of the rules that it carries, and bundlers see so
// only in a module that nothing else imports.

import { column, type Column } from "./column.ts";
import { fileRules, type FileOptions } from "./file-policy.ts";
import type { FileRef } from "./value.ts";

/** A file: the row holds a FileRef, the bytes live beside. */
export const file = (options: FileOptions = {}): Column<FileRef, true, false> =>
  column<FileRef>("file", { file: { ...options, rules: fileRules } });
