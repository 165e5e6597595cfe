// Owns: Trace, who did what when in a test's world, as lines that a person can follow.

import * as limits from "../core/limits.ts";
import type { SimAnswer, SimRequest } from "./sim-network.ts";

export class Trace {
  readonly #startedAt: number;
  readonly #now: () => number;
  /** What a tab is called for a person, by its name. */
  readonly #names = new Map<string, string>();
  #lines: string[] = [];

  constructor(now: () => number) {
    this.#now = now;
    this.#startedAt = now();
  }

  /** From now on the tab is called so. */
  name(tab: string, called: string): void {
    this.#names.set(tab, called);
  }

  /** `who` is a user, a tab, or null for the world. */
  add(who: string | null, what: string): void {
    const seconds = ((this.#now() - this.#startedAt) / 1000).toFixed(3).padStart(9);
    this.#lines.push(`${seconds} s  ${(this.#names.get(who ?? "") ?? who ?? "").padEnd(16)}  ${what}`);
    if (this.#lines.length > 2 * limits.testTraceLinesMax) this.#lines = this.#lines.slice(-limits.testTraceLinesMax);
  }

  /** A request that the server has answered. */
  request(user: string, { method, url, body }: SimRequest, answer: SimAnswer): void {
    const what = new URL(url).pathname.split("/").at(-1) ?? "";
    const sent = method === "POST" ? listOf(body, "mutations", ({ name, id }) => `${String(name)} #${String(id)}`) : "";
    const told =
      method === "POST"
        ? listOf(answer.body, "results", ({ status, error }) => [status, codeOf(error)].filter(Boolean).join(" "))
        : listOf(answer.body, "patch", ({ op, table, id }) => [op, table, id].filter(Boolean).join(" "));
    this.add(user, `${what}${sent} → ${answer.status}${told}`);
  }

  /** The last lines; all that are kept when no number is given. */
  last(count: number = limits.testTraceLinesMax): string {
    return this.#lines.slice(-count).join("\n");
  }
}

type Fields = { readonly [key: string]: unknown };
const LISTED_MAX = 6;

/** ` [a, b]` of the list of that name in a JSON body; nothing when there is none, or it is empty. */
function listOf(body: string | null, field: string, show: (item: Fields) => string): string {
  const list = (parsed(body) as Fields | null)?.[field];
  if (!Array.isArray(list) || list.length === 0) return "";
  const shown = (list as Fields[]).slice(0, LISTED_MAX).map(show);
  if (list.length > LISTED_MAX) shown.push(`${list.length - LISTED_MAX} more`);
  return ` [${shown.join(", ")}]`;
}

const codeOf = (error: unknown): string => String((error as { readonly code?: unknown } | undefined)?.code ?? "");

function parsed(body: string | null): unknown {
  try {
    return JSON.parse(body ?? "null");
  } catch {
    // A gateway's page.
    return null;
  }
}
