// Owns: telling listeners that something has changed, with the change itself where that is allowed and cheap.
// Invariants:
//   1. One round at a time: what changes while a round runs is told by the next, so a later patch never overtakes an earlier
//      one, and many changes in a short time are one.
//   2. A patch goes only to whom `auth` let in within `limits.socketCtxMsMax`, and holds what pull.ts would tell them.
//   3. Whatever goes wrong, the listener is poked: a poke too many is a pull too many, a poke too few is a change that is
//      seen at the next poll.
//   4. A commit of which a listener was told is not told twice, by whatever ways this process hears of it.
// A listener's position is what the client said last, or what the last patch gave it: a guess that the client checks.

import { isPlasmaError } from "../../core/error.ts";
import { nextTurn } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { POKE } from "./hub.ts";
import type { Authorized } from "../authorized.ts";
import type { HandlerSettings } from "../handler-options.ts";
import { PacedPokes } from "./paced-pokes.ts";
import { RecentAuth } from "./recent-auth.ts";
import { parseCookie, type Cookie } from "../sync/cookie.ts";
import type { LogEntry } from "../sync/log-reads.ts";
import { LogTail } from "./log-tail.ts";
import type { Listener } from "./listener.ts";
import { PatchRound, type PatchAnswer, type PatchReader } from "./patch-round.ts";

/** What is known of a listener beside its record. */
interface Reach {
  /** The text that `cookie` was read from. */
  text: string | null;
  cookie: Cookie | null;
  /** The log version up to which it was told that something changed. */
  told: number;
}

export class PokePatches {
  readonly #settings: HandlerSettings;
  readonly #tail: LogTail;
  readonly #recent: RecentAuth;
  readonly #paced: PacedPokes;
  readonly #reaches = new WeakMap<Listener, Reach>();
  readonly #waiting = new Set<Listener>();
  #running: Promise<void> | null = null;

  constructor(settings: HandlerSettings) {
    this.#settings = settings;
    this.#tail = new LogTail(settings.options.executor);
    this.#recent = new RecentAuth(settings.env);
    this.#paced = new PacedPokes(settings.env);
  }

  /** A client has pulled here: what `auth` said of it is as good for its socket. */
  pulled(auth: Authorized, clientID: string, replicaID: string | null): void {
    this.#recent.note(auth, clientID, replicaID);
  }

  /** Tells the listeners of what has changed, now or after the round that runs. Never rejects. */
  deliver(listeners: readonly Listener[]): Promise<void> {
    for (const listener of listeners) this.#waiting.add(listener);
    this.#running ??= this.#run().finally(() => (this.#running = null));
    return this.#running;
  }

  async #run(): Promise<void> {
    while (this.#waiting.size > 0) {
      const listeners = [...this.#waiting];
      this.#waiting.clear();
      try {
        await this.#round(listeners);
      } catch {
        // The database does not answer: whoever pulls will be told so.
        for (const listener of listeners) listener.send(POKE);
      }
    }
  }

  async #round(listeners: readonly Listener[]): Promise<void> {
    for (const listener of listeners) this.#reachOf(listener);
    await this.#tail.advance(this.#commonPlace(listeners));
    const round = new PatchRound(this.#settings, this.#tail);
    const later: (() => Promise<void>)[] = [];
    for (const [i, listener] of listeners.entries()) {
      // Other requests have their turn.
      if (i % limits.pokesPerTurnMax === limits.pokesPerTurnMax - 1) await nextTurn();
      const answer = this.#answer(round, listener);
      if (typeof answer === "function") later.push(async () => this.#tell(listener, await orPull(answer)));
      else this.#tell(listener, answer);
    }
    for (const tell of later) await tell();
  }

  #answer(round: PatchRound, listener: Listener): PatchAnswer | (() => Promise<PatchAnswer>) {
    const reach = this.#reachOf(listener);
    const { options, views } = this.#settings;
    const { record } = listener;
    if (!this.#hasNews(listener, reach)) return "none";
    const auth = this.#authOf(listener);
    const schemaVersion = record.schemaVersion ?? options.schemaVersion;
    const { text, cookie } = reach;
    if (auth === null || text === null || cookie === null || !views.has(schemaVersion)) return "pull";
    const reader: PatchReader = { auth, replicaID: record.replicaID, schemaVersion, from: text, cookie };
    try {
      return round.answer(reader);
    } catch {
      // A rule that throws is for the pull to report.
      return "pull";
    }
  }

  /** The youngest that is young enough. */
  #authOf(listener: Listener): Authorized | null {
    const { record } = listener;
    const seen = this.#recent.of(record);
    if (seen !== null && seen.at >= record.authorizedAt) return seen.auth;
    return listener.freshAuth(this.#settings.env.now());
  }

  #tell(listener: Listener, answer: PatchAnswer): void {
    const { text } = this.#reaches.get(listener) as Reach;
    const reach = this.#reachOf(listener);
    // It pulled while the database was asked: its patch begins elsewhere now.
    if (reach.text !== text) return void this.#waiting.add(listener);
    reach.told = this.#tail.end.version;
    if (answer === "none") return;
    if (answer === "crowd") return this.#paced.add(listener);
    this.#paced.forget(listener);
    if (answer === "pull") return void listener.send(POKE);
    if (!listener.send(answer.text)) return;
    reach.text = answer.cookie;
    reach.cookie = answer.position;
    listener.change({ cookie: answer.cookie });
  }

  /** Whether others wrote since the listener was told last. Its own pushes it pulls by itself. */
  #hasNews({ record }: Listener, reach: Reach): boolean {
    const { version } = this.#tail.end;
    // After a backup was restored, versions begin lower.
    if (reach.told > version) reach.told = 0;
    const entries = this.#tail.above(reach.told);
    if (entries === null) return true;
    const isOwn = ({ clientGroupID, replicaID }: LogEntry) =>
      replicaID !== null && replicaID === record.replicaID && clientGroupID === record.clientGroupID;
    return entries.some((entry) => entry.op !== "ack" && !isOwn(entry));
  }

  #reachOf(listener: Listener): Reach {
    const text = listener.record.cookie;
    let reach = this.#reaches.get(listener);
    if (reach === undefined) this.#reaches.set(listener, (reach = { text: null, cookie: null, told: 0 }));
    if (reach.text === text) return reach;
    reach.text = text;
    reach.cookie = text === null ? null : readCookie(text);
    if (reach.cookie !== null) reach.told = Math.max(reach.told, reach.cookie.version);
    return reach;
  }

  /** Where most listeners are: there a tail begins. */
  #commonPlace(listeners: readonly Listener[]): Cookie | null {
    const counts = new Map<string, { readonly cookie: Cookie; count: number }>();
    let most: { readonly cookie: Cookie; count: number } | null = null;
    for (const listener of listeners) {
      const { cookie } = this.#reachOf(listener);
      if (cookie === null) continue;
      const key = `${cookie.version} ${cookie.tag}`;
      const place = counts.get(key) ?? { cookie, count: 0 };
      place.count += 1;
      counts.set(key, place);
      if (most === null || place.count > most.count) most = place;
    }
    return most?.cookie ?? null;
  }
}

const orPull = (ask: () => Promise<PatchAnswer>): Promise<PatchAnswer> => ask().catch(() => "pull");

function readCookie(text: string): Cookie | null {
  try {
    return parseCookie(text);
  } catch (error) {
    if (isPlasmaError(error, "pull/cookie")) return null;
    throw error;
  }
}
