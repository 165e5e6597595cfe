// Owns: History: what a run has shown of itself: every call and how it ended, every refusal told, what happened when.

import type { SimTab } from "../../packages/plasma-sync/src/testing/sim-world.ts";
import type { Call } from "./feature.ts";

export interface CallRecord {
  readonly token: string;
  readonly tab: string;
  readonly device: string;
  readonly user: string;
  readonly call: Call;
  readonly madeMs: number;
  readonly mayThrow: boolean;
  /** It writes local-only tables alone. */
  readonly isLocal: boolean;
  /** How `mutate` ended. */
  local: "open" | "durable" | "failed";
  localError: unknown;
  /** How `.server` ended. */
  server: "open" | "applied" | "rejected" | "ended";
  /** Refusals told by `onError`, over all tabs and reloads. */
  told: number;
  /** Place among the device's appends; null when it never came to the disk. */
  place: number | null;
}

export interface TraceLine {
  readonly ms: number;
  readonly who: string;
  readonly what: string;
}

export class History {
  readonly calls = new Map<string, CallRecord>();
  readonly trace: TraceLine[] = [];
  /** What went wrong first. */
  violation: string | null = null;
  /** When the last backup was put back; null when none was. */
  restoredMs: number | null = null;
  /** Devices of which a tab died, a storage failed, a replica was reset. */
  readonly deaths = new Set<string>();
  readonly failures = new Set<string>();
  readonly resets = new Set<string>();
  /**
   * Devices of which a tab has taken the lead from another, or was stopped while it took it: one that wakes may take it once
   * more, and what a leader showed before it was durable, it gives up then.
   */
  readonly steals = new Set<string>();
  /** Tabs that have led. */
  readonly leaders = new Set<string>();
  /** Calls that left a view though they never throw: they must have been refused, or never become durable. */
  readonly vanished = new Set<string>();
  /** Tabs that have shown something. */
  readonly loaded = new Set<string>();
  readonly counts = new Map<string, number>();
  #places = 0;
  readonly #led = new Set<string>();
  readonly #runs = new Map<string, number>();

  count(what: string, by = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + by);
  }

  /** A tab of the device leads now; says whether one did before. */
  led(device: string): boolean {
    const before = this.#led.has(device);
    this.#led.add(device);
    return before;
  }

  /** Whether the tab may have to give up what it showed as leader before it was durable. */
  mayBeDeposed(tab: SimTab): boolean {
    return this.steals.has(tab.device.name) && this.leaders.has(tab.name);
  }

  /** A tab has run a mutator. */
  ran(tab: string): void {
    this.#runs.set(tab, (this.#runs.get(tab) ?? 0) + 1);
  }

  /** Runs of mutators in the tab so far, those at the call included. */
  replaysOf(tab: string): number {
    return this.#runs.get(tab) ?? 0;
  }

  violate(what: string): void {
    this.violation ??= what;
  }

  appended(token: string): void {
    const record = this.calls.get(token);
    if (record !== undefined) record.place ??= this.#places++;
  }
}
