// Owns: a failed run as text: its script, and who did what when.

import type { TraceLine } from "./history.ts";
import type { Script } from "./script.ts";

const LINE_CHARS_MAX = 400;

/** Plain data as JSON that tells bigints and bytes. */
export const plain = (value: unknown): string =>
  JSON.stringify(value, (_, one: unknown) =>
    typeof one === "bigint" ? `${one}n` : one instanceof Uint8Array ? `bytes ${[...one].join(" ")}` : one,
  );

export function showScript({ steps, devices, finale, ...rest }: Script): string {
  const lines = [...steps, ...finale].map((step, i) => `${String(i + 1).padStart(4)}  ${showStep(step)}`);
  return [plain(rest), `devices of ${devices.join(", ")}`, ...lines].join("\n");
}

function showStep({ do: what, ...rest }: Script["steps"][number]): string {
  return `${what} ${Object.keys(rest).length === 0 ? "" : plain(rest)}`.trim();
}

export const showTrace = ({ trace }: { readonly trace: readonly TraceLine[] }): string =>
  trace
    .map(
      ({ ms, who, what }) =>
        `${(ms / 1000).toFixed(3).padStart(9)} s  ${who.padEnd(8)} ${what.slice(0, LINE_CHARS_MAX)}`,
    )
    .join("\n");
