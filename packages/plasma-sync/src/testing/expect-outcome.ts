// Owns: expectApplied and expectDenied: what the server makes of a mutation.
// Invariants:
//   1. The server is asked, always: a mutation that the browser's own run refuses is sent past it, because browsers can be forged.
//   2. A refusal for another reason than permission does not pass for a denial, unless the test names its code.

import { isPlasmaError, messageOf } from "../core/error.ts";
import type { MutationPromise } from "../client/plasma-client.ts";
import { TestFailure } from "./test-failure.ts";
import { showMutation, TestMutation } from "./test-mutation.ts";

/** A mutation that was called, or a function that calls it. `client.forge.x(args)` is one, too. */
export type Attempt = MutationPromise | Promise<unknown> | (() => MutationPromise | Promise<unknown>);

export interface Refusal {
  readonly code: string;
  readonly message: string;
}

/** Codes by which an app says no: a rule of `auth.write`, or an error that a mutator throws. */
const DENIALS: readonly string[] = ["auth/denied", "mutation/app"];

/**
 * Waits for the server's word, and fails unless it is a refusal: by a rule or by a mutator, or with the `code` given. What the
 * browser's own run refuses is sent to the server all the same.
 *
 * @throws TestFailure `test/not-denied`, saying what happened instead.
 * @example
 * await expectDenied(grace.mutate.renameList({ id: "trip", name: "Mine" }), "auth/denied");
 */
export async function expectDenied(attempt: Attempt, code?: string): Promise<Refusal> {
  const promise = start(attempt);
  const what = nameOf(promise);
  const wanted = code === undefined ? DENIALS : [code];
  const { refusal, refusedHere } = await refusalOf(promise);
  const local =
    refusedHere === null
      ? ""
      : ` The browser's own run refuses it (${refusedHere}), but a forged client does not ask it.`;
  if (refusal === null)
    throw new TestFailure("test/not-denied", `Expected the server to refuse ${what}, but it applied it.${local}`);
  if (wanted.includes(refusal.code)) return refusal;
  throw new TestFailure(
    "test/not-denied",
    `Expected the server to refuse ${what} with ${wanted.join(" or ")}, but it did so with ${refusal.code}: ${refusal.message}` +
      (code === undefined ? ` If that is meant, say so: expectDenied(…, "${refusal.code}").` : ""),
    { actual: refusal.code, expected: wanted.length === 1 ? wanted[0] : wanted },
  );
}

/**
 * Waits until the server has applied a mutation.
 *
 * @throws TestFailure `test/denied` with what refused it.
 * @example
 * await expectApplied(ada.mutate.createTodo({ listId: "trip", title: "Pack" }));
 */
export async function expectApplied(attempt: Attempt): Promise<void> {
  const promise = start(attempt);
  try {
    await promise;
  } catch (error) {
    if (error instanceof TestFailure) throw error;
    const who = promise instanceof TestMutation ? "the browser's own run" : "the server";
    throw denied(promise, who, error);
  }
  if (!(promise instanceof TestMutation)) return;
  try {
    await promise.server;
  } catch (error) {
    if (error instanceof TestFailure) throw error;
    throw denied(promise, "the server", error);
  }
}

const start = (attempt: Attempt) => (typeof attempt === "function" ? attempt() : attempt);

function nameOf(promise: PromiseLike<unknown>): string {
  if (!(promise instanceof TestMutation)) return "the mutation";
  return showMutation(promise.call);
}

function denied(promise: PromiseLike<unknown>, who: string, error: unknown): TestFailure {
  const code = (error as { readonly code?: string } | null)?.code ?? "an error";
  const message = `Expected ${nameOf(promise)} to be applied, but ${who} refused it with ${code}: ${messageOf(error)}`;
  return new TestFailure("test/denied", message, { cause: error });
}

/** What the server says; null when it applies it. `refusedHere` is what the browser's own run said before. */
async function refusalOf(
  promise: PromiseLike<unknown>,
): Promise<{ readonly refusal: Refusal | null; readonly refusedHere: string | null }> {
  if (!(promise instanceof TestMutation)) return { refusal: await rejectionOf(promise), refusedHere: null };
  try {
    await promise;
  } catch (error) {
    if (error instanceof TestFailure || isLost(error)) throw error;
    const { caller, name, args } = promise.call;
    const forged = caller.forge as { readonly [name: string]: (args: unknown) => Promise<unknown> };
    return {
      refusal: await rejectionOf(forged[name]?.(args) ?? promise),
      refusedHere: messageOf(error),
    };
  }
  return { refusal: await rejectionOf(promise.server), refusedHere: null };
}

async function rejectionOf(outcome: PromiseLike<unknown>): Promise<Refusal | null> {
  try {
    await outcome;
    return null;
  } catch (error) {
    const { code, message } = (error ?? {}) as { readonly code?: unknown; readonly message?: unknown };
    if (error instanceof TestFailure || isLost(error) || typeof code !== "string") throw error;
    return { code, message: String(message) };
  }
}

/** The client was closed or could not save: nobody has refused anything. */
const isLost = (error: unknown): boolean => isPlasmaError(error) && error.code.startsWith("client/");
