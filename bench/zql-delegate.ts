// Owns: what ZQL's queries run on outside Zero: memory sources by table.

import type { MemorySource } from "./node_modules/@rocicorp/zero/out/zql/src/ivm/memory-source.js";
import { QueryDelegateBase } from "./node_modules/@rocicorp/zero/out/zql/src/query/query-delegate-base.js";

/** Memory sources, and the commits after which views deliver. */
export class ZqlDelegate extends QueryDelegateBase {
  readonly defaultQueryComplete = true;
  readonly #sources: ReadonlyMap<string, MemorySource>;
  readonly #commitListeners = new Set<() => void>();

  constructor(sources: ReadonlyMap<string, MemorySource>) {
    super();
    this.#sources = sources;
  }

  getSource(name: string): MemorySource | undefined {
    return this.#sources.get(name);
  }

  override onTransactionCommit(listener: () => void): () => void {
    this.#commitListeners.add(listener);
    return () => this.#commitListeners.delete(listener);
  }

  /** Pushes one change through the views and lets them deliver. */
  push(name: string, change: Parameters<MemorySource["push"]>[0]): void {
    const source = this.#sources.get(name);
    if (source === undefined) throw new Error(`no table ${name}`);
    for (const _ of source.push(change));
    for (const listener of this.#commitListeners) listener();
  }

  /** Materialises a query into an ArrayView with a listener; returns its end. */
  show(query: unknown, listener: (rows: readonly object[]) => void): () => void {
    const view = this.materialize(query as never) as unknown as View;
    view.addListener(listener);
    return () => view.destroy();
  }
}

interface View {
  addListener(listener: (rows: readonly object[]) => void): void;
  destroy(): void;
}
