// Owns: calling the app's hooks so that none of them can hurt a request.
// Invariant: a hook that throws is reported to onError; an onError that throws is ignored, since nobody is left to tell.

import type { Authorized, PushOrigin, SyncHandlerOptions } from "../handler-options.ts";
import * as limits from "../../core/limits.ts";
import type { Coordinator } from "../realtime/coordinator.ts";
import type { Refusal } from "./answer.ts";
import type { PushReport } from "./push.ts";
import type { PlasmaMetric, SyncServerError } from "./sync-server-error.ts";

type HookCall = readonly [hook: string, call: () => void | Promise<void>];

export class HandlerHooks {
  readonly #options: SyncHandlerOptions;
  readonly #coordinator: Coordinator | null;

  constructor(options: SyncHandlerOptions, coordinator: Coordinator | null = null) {
    this.#options = options;
    this.#coordinator = coordinator;
  }

  metric(metric: PlasmaMetric): void {
    try {
      this.#options.onMetric?.(metric);
    } catch (cause) {
      this.#hookFailed("onMetric", cause);
    }
  }

  /** Tells of an error answer where an operator may want to know. */
  refused({ kind, status, body }: Refusal, cause: unknown): void {
    if (kind !== undefined) this.#report({ kind, message: body.error, code: body.code, status, cause });
  }

  /** Of refs beyond those that were asked. */
  capHit(hash: string): void {
    this.#report({
      kind: "blob-read-auth-cap-hit",
      message: `More rows refer to the file ${hash} than are asked; a reader of another one of them was refused.`,
    });
  }

  /** After the commit of a push: its refusals, its mutations, and that something changed. */
  async pushed(auth: Authorized, report: PushReport, origin: PushOrigin): Promise<void> {
    const { onMutation, onPushed } = this.#options;
    const coordinator = this.#coordinator;
    const calls: HookCall[] = [];
    for (const { rejection, ...event } of report.processed) {
      if (rejection !== undefined) {
        const { code, message, cause } = rejection;
        const { clientID, id, name } = event;
        this.#report({
          kind: "mutation-error",
          code,
          message,
          clientGroupID: auth.clientGroupID,
          mutation: { clientID, id, name },
          cause,
        });
      }
      if (onMutation !== undefined) calls.push(["onMutation", () => onMutation(event)]);
    }
    const pokes: HookCall[] = [];
    const pushed: HookCall[] = [];
    if (report.hasChanges && coordinator !== null)
      pokes.push(["pokeRooms", () => coordinator.poke({ rooms: this.#roomsOf(auth, report, coordinator), origin })]);
    if (report.hasChanges && onPushed !== undefined) pushed.push(["onPushed", () => onPushed(auth, origin)]);
    // Others are waiting to be poked: they do not wait for mail that is sent.
    const all = [pokes, pushed, calls].filter((some) => some.length > 0);
    if (all.length > 0) await this.#handOver(...all.map((some) => this.#runAll(some)));
  }

  #roomsOf(auth: Authorized, report: PushReport, { defaultRooms }: Coordinator): readonly string[] | null {
    const { pokeRooms } = this.#options;
    if (pokeRooms === undefined) return defaultRooms;
    return [...new Set(pokeRooms({ auth, mutations: report.processed }))].slice(0, limits.pokeRoomsMax);
  }

  /** One after another: events in the order of their mutations. */
  async #runAll(calls: readonly HookCall[]): Promise<void> {
    for (const [hook, call] of calls) {
      try {
        await call();
      } catch (cause) {
        this.#hookFailed(hook, cause);
      }
    }
  }

  async #handOver(...hooks: readonly Promise<void>[]): Promise<void> {
    const { waitUntil } = this.#options;
    const done = Promise.all(hooks).then(() => undefined);
    if (waitUntil === undefined) return done;
    try {
      waitUntil(done);
    } catch (cause) {
      this.#hookFailed("waitUntil", cause);
    }
  }

  #hookFailed(hook: string, cause: unknown): void {
    this.#report({ kind: "onPushed-failed", message: `The hook ${hook} threw.`, cause });
  }

  #report(error: SyncServerError): void {
    try {
      this.#options.onError?.(error);
    } catch {
      return;
    }
  }
}
