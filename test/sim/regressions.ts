// Owns: seeds that once failed, with what was wrong. They run first, for ever.

export interface Regression {
  readonly seed: number;
  /** Of a plain world: it failed before there were others. */
  readonly isPlain?: boolean;
  readonly what: string;
}

export const regressions: readonly Regression[] = [
  { seed: 1052, isPlain: true, what: "a reset showed its empty rows as complete" },
  { seed: 2198, isPlain: true, what: "a reset that the disk refused left the client without syncing" },
  { seed: 10937, isPlain: true, what: "a leader whose disk could not be read twice in a row never synced again" },
  {
    seed: 1374,
    isPlain: true,
    what: "a page asked for before another tab's reset was taken for the whole first sync after it",
  },
  { seed: 8591, isPlain: true, what: "a tab that missed a reset whose maker died led the replica before it for ever" },
  {
    seed: 4699,
    isPlain: true,
    what: "a tab that heard of a renumbering and of its confirmation at once kept the mutation for ever",
  },
  { seed: 395, what: "a tab whose disk had failed led again only at the next poll, far off for who has a socket" },
  {
    seed: 20202,
    what: "a tab whose first load had failed read the disk at another's reset, and kept what it found for ever",
  },
  {
    seed: 6345,
    what: "a tab that had not heard of the last pull of the leader before it pulled from where it was, and kept that one's rows",
  },
];
