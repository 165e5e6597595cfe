// Owns: SimPage, what the platform tells a simulated tab of its page: shown or hidden, stopped and gone on.
// Invariants:
//   1. A page that is told that it stops hears that before it does. One that hangs hears nothing, before or after.

import { visiblePage, type PageEvent, type PageLife } from "../client/tabs/page-life.ts";
import type { SimLife } from "./sim-clock.ts";

export class SimPage {
  readonly #life: SimLife;
  readonly #listeners = new Set<(event: PageEvent) => void>();
  #isVisible = true;
  #isStopped = false;

  constructor(life: SimLife) {
    this.#life = life;
  }

  get isVisible(): boolean {
    return this.#isVisible;
  }

  watch(onEvent: (event: PageEvent) => void): PageLife {
    this.#listeners.add(onEvent);
    return { ...visiblePage, isVisible: () => this.#isVisible, close: () => void this.#listeners.delete(onEvent) };
  }

  show(isVisible: boolean): void {
    if (this.#isVisible === isVisible) return;
    this.#isVisible = isVisible;
    this.#tell(isVisible ? "visible" : "hidden");
  }

  /** As a browser stops a page: it is told, and does nothing more. */
  stop(): void {
    if (this.#life.isFrozen || this.#life.isDead) return;
    this.#isStopped = true;
    this.#tell("frozen");
    this.#life.freeze();
  }

  /** It goes on, whatever has stopped it. */
  resume(): void {
    this.#life.resume();
    if (this.#isStopped) this.#tell("resumed");
    this.#isStopped = false;
  }

  #tell(event: PageEvent): void {
    this.#life.run(() => {
      for (const listener of this.#listeners) listener(event);
    });
  }
}
