// Owns: the list of workloads and their sizes. What each does stands in page/<id>.ts and README.md.

export interface Workload {
  readonly id: string;
  readonly variants: readonly {
    readonly name: string;
    readonly params: { readonly [key: string]: number | string };
    readonly goal: string;
  }[];
}

const rebase = (rows: number, touches: "apart" | "all", name: string) => ({
  name: `${rows / 1000}k rows, pull touches ${name}`,
  params: { rows, pending: 1000, touches, samples: 7 },
  goal: "≤ 0.30",
});

export const workloads: readonly Workload[] = [
  {
    id: "rebase",
    variants: [
      rebase(1_000, "apart", "one other row"),
      rebase(100_000, "apart", "one other row"),
      rebase(1_000, "all", "every pending row"),
      rebase(100_000, "all", "every pending row"),
    ],
  },
];
