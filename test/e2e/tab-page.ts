// Owns: what a page of source-pages.ts offers to the test that drives it, as `window.tab`.
import { systemEnv } from "../../packages/plasma-sync/src/core/lib/env.ts";
import { id, text } from "../../packages/plasma-sync/src/core/schema/column.ts";
import { defineSchema } from "../../packages/plasma-sync/src/core/schema/schema.ts";
import { table } from "../../packages/plasma-sync/src/core/schema/table.ts";
import { createIdbStore } from "../../packages/plasma-sync/src/client/store/idb-store.ts";
import type { NewOutboxEntry, Store } from "../../packages/plasma-sync/src/client/store/store.ts";
import { browserTabLinks } from "../../packages/plasma-sync/src/client/tabs/browser-tab-links.ts";
import { takeClientID, type ClientIdentity } from "../../packages/plasma-sync/src/client/tabs/client-identity.ts";
import type { TabChannel, TabMessage } from "../../packages/plasma-sync/src/client/tabs/tab-links.ts";

const DATABASE = "plasma:tabs:ada";
const schema = defineSchema({ notes: table("notes", { id: id(), title: text() }) });
const links = browserTabLinks();

function entriesOf(clientID: string, first: number, count: number, sizeBytes: number): NewOutboxEntry[] {
  return Array.from({ length: count }, (_, i) => {
    const entry = { clientID, id: first + i, name: "add", args: "x".repeat(sizeBytes), timestamp: 1 };
    return { ...entry, seed: "", base: null, schemaVersion: "1" };
  });
}

class Tab {
  readonly env = systemEnv;
  readonly schema = schema;
  identity: ClientIdentity | null = null;
  readonly held: string[] = [];
  readonly lost: string[] = [];
  readonly heard: TabMessage[] = [];
  readonly createStore = (name: string, durability?: "relaxed" | "strict"): Store =>
    createIdbStore({ name, schema, env: systemEnv, ...(durability === undefined ? {} : { durability }) });
  readonly store = this.createStore(DATABASE);
  readonly entriesOf = entriesOf;
  #channel: TabChannel | null = null;
  readonly #releases = new Map<string, () => void>();

  /** As a client of this page would. */
  take(): { readonly clientID: string; readonly reused: boolean } {
    this.identity = takeClientID(DATABASE, systemEnv);
    return { clientID: this.identity.clientID, reused: this.identity.reused };
  }

  listen(): void {
    this.#channel = links.openChannel(DATABASE, (message) => this.heard.push(message));
  }

  /** Posts one message per nonce. */
  tell(nonces: readonly string[]): void {
    for (const nonce of nonces) this.#channel?.post({ type: "done", nonce });
  }

  /** Nonces that other tabs have told, in the order in which they came. */
  nonces(): string[] {
    return this.heard.flatMap((message) => (message.type === "done" ? [message.nonce] : []));
  }

  lock(name: string, steal = false): void {
    const options = { steal, onLost: () => void this.lost.push(name) };
    this.#releases.set(
      name,
      links.requestLock(name, () => this.held.push(name), options),
    );
  }

  unlock(name: string): void {
    this.#releases.get(name)?.();
  }

  isLocked(name: string): Promise<boolean> {
    return links.isLocked(name);
  }

  /** Appends entries one by one. Returns the seq of each commit. */
  async append(clientID: string, count: number): Promise<number[]> {
    const { replicaID } = await this.store.load(() => undefined);
    const seqs: number[] = [];
    for (let next = 1; next <= count; next++) {
      seqs.push((await this.store.append(replicaID, entriesOf(clientID, next, 1, 10))).seq);
    }
    return seqs;
  }

  /** Appends one entry of that size; how it ended. */
  async tryAppend(clientID: string, next: number, sizeBytes: number): Promise<string> {
    const { replicaID } = await this.store.load(() => undefined);
    return this.store.append(replicaID, entriesOf(clientID, next, 1, sizeBytes)).then(
      ({ seq }) => `commit ${seq}`,
      (error: unknown) => (error as { code: string }).code,
    );
  }

  async outbox(): Promise<string[]> {
    const { outbox } = await this.store.load(() => undefined);
    return outbox.map((entry) => `${entry.clientID} ${entry.id}`);
  }
}

export type { Tab };
Object.assign(window, { tab: new Tab() });
