// Owns: ToldAnswers, everything that the server of a test's world has answered, by the user who asked.

import * as limits from "../core/limits.ts";
import type { SimAnswer, SimRequest } from "./sim-network.ts";
import { TestFailure } from "./test-failure.ts";

export class ToldAnswers {
  readonly #bodiesByUser = new Map<string, string[]>();
  #chars = 0;

  /** Keeps an answer, also one that was lost on its way: the server has given it out. */
  keep(user: string, { body }: SimAnswer): void {
    if ((this.#chars += body.length) > limits.testToldCharsMax) return this.#bodiesByUser.clear();
    this.#bodiesByUser.set(user, [...(this.#bodiesByUser.get(user) ?? []), body]);
  }

  /** The first of the texts that the server has told the user, null when there is none. */
  find(user: string, texts: readonly string[]): string | null {
    if (this.#chars > limits.testToldCharsMax) {
      const message = `The server has answered more than ${limits.testToldCharsMax} characters. Ask in a smaller test what it told.`;
      throw new TestFailure("test/usage", message);
    }
    const bodies = this.#bodiesByUser.get(user) ?? [];
    // As it stands within a text of JSON.
    const isTold = (text: string) => bodies.some((body) => body.includes(JSON.stringify(text).slice(1, -1)));
    return texts.find(isTold) ?? null;
  }
}

/** The clientGroupID that a request names: of a pull in its URL, of a push in its body. */
export function userOf({ url, body }: SimRequest): string {
  const asked = new URL(url).searchParams.get("clientGroupID");
  if (asked !== null) return asked;
  return /"clientGroupID":"((?:[^"\\]|\\.)*)"/.exec(body ?? "")?.[1] ?? "";
}
