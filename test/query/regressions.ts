// Owns: cases that once failed, as small as they became. They run first, for ever.

/** What was wrong, and the case; see case.ts. */
export const regressions: readonly (readonly [string, string])[] = [];
