// Owns: tapes of cases that once failed, shrunk. They run first, for ever.

/** What was wrong, and the tape. */
export const regressions: readonly (readonly [string, readonly number[]])[] = [];
