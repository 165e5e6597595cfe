// Owns: a Chromium with its tabs as people have them: in one window, of which one tab is visible; hidden ones are throttled and can
// be frozen. Playwright shows every page as visible and focused, so this speaks to the browser itself (Chrome DevTools Protocol).
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { must } from "../../../packages/plasma-sync/src/core/lib/assert.ts";
import { chromiumLaunchOptions } from "../../../scripts/chromium.mjs";

const START_MS_MAX = 60_000;
/** A command that a page does not answer: it is gone, or hangs. */
const ANSWER_MS_MAX = 15_000;

type Answer = { readonly id: number; readonly result?: unknown; readonly error?: { readonly message: string } };
interface Evaluated {
  readonly result: { readonly value?: unknown };
  readonly exceptionDetails?: { readonly text: string; readonly exception?: { readonly description?: string } };
}

/** One tab, as its user handles it. */
export class RawTab {
  readonly #browser: RawBrowser;
  readonly targetId: string;
  readonly #session: string;

  constructor(browser: RawBrowser, targetId: string, session: string) {
    this.#browser = browser;
    this.targetId = targetId;
    this.#session = session;
  }

  send<T>(method: string, params: object = {}, answerMsMax = ANSWER_MS_MAX): Promise<T> {
    return this.#browser.send<T>(method, params, { session: this.#session, answerMsMax });
  }

  /** The value of an expression; of a promise, what it resolves with. */
  async evaluate<T>(expression: string, answerMsMax = ANSWER_MS_MAX): Promise<T> {
    const params = { expression, returnByValue: true, awaitPromise: true, userGesture: true };
    const { result, exceptionDetails: failure } = await this.send<Evaluated>("Runtime.evaluate", params, answerMsMax);
    if (failure !== undefined) throw new Error(failure.exception?.description ?? failure.text);
    return result.value as T;
  }

  /** Makes it the visible one of its window. */
  show(): Promise<unknown> {
    return this.#browser.send("Target.activateTarget", { targetId: this.targetId });
  }

  /** As the browser freezes a hidden tab: it is told, and runs no task from then on. A visible one is not frozen. */
  freeze(isFrozen: boolean): Promise<unknown> {
    return this.send("Page.setWebLifecycleState", { state: isFrozen ? "frozen" : "active" });
  }

  /** As at a breakpoint: it stops at its next statement, without a word. */
  async hang(): Promise<void> {
    await this.send("Debugger.enable");
    await this.send("Debugger.pause");
  }

  async goOn(): Promise<void> {
    await this.send("Debugger.disable");
  }

  crash(): void {
    // Nobody answers.
    this.send("Page.crash", {}, 1_000).catch(() => undefined);
  }

  close(): Promise<unknown> {
    return this.#browser.send("Target.closeTarget", { targetId: this.targetId });
  }

  goTo(url: string): Promise<unknown> {
    return this.send("Page.navigate", { url });
  }

  async goBack(): Promise<void> {
    type History = { readonly currentIndex: number; readonly entries: readonly { readonly id: number }[] };
    const { currentIndex, entries } = await this.send<History>("Page.getNavigationHistory");
    const before = entries[currentIndex - 1];
    if (before !== undefined) await this.send("Page.navigateToHistoryEntry", { entryId: before.id });
  }

  reload(): Promise<unknown> {
    return this.send("Page.reload");
  }
}

export class RawBrowser {
  readonly #child: ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #sent = 0;

  private constructor(child: ChildProcess, profile: string, socket: WebSocket) {
    this.#child = child;
    this.#profile = profile;
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const answer = JSON.parse(String(data)) as Answer;
      this.#waiting.get(answer.id)?.(answer);
    };
  }

  /** Starts one with a new profile on disk. */
  static async start(): Promise<RawBrowser> {
    const profile = mkdtempSync(join(tmpdir(), "plasma-tabs-"));
    const { executablePath, args } = chromiumLaunchOptions();
    const child = spawn(
      must(executablePath, "a Chromium is there"),
      [...args, "--headless=new", "--remote-debugging-port=0", `--user-data-dir=${profile}`, "--no-first-run"],
      { stdio: "ignore" },
    );
    const socket = new WebSocket(await socketOf(join(profile, "DevToolsActivePort")));
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    return new RawBrowser(child, profile, socket);
  }

  send<T>(
    method: string,
    params: object,
    { session, answerMsMax = ANSWER_MS_MAX }: { readonly session?: string; readonly answerMsMax?: number } = {},
  ): Promise<T> {
    const id = (this.#sent += 1);
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        reject(new Error(`${method} was not answered`));
      }, answerMsMax);
      this.#waiting.set(id, ({ result, error }) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        if (error === undefined) resolve(result as T);
        else reject(new Error(`${method}: ${error.message}`));
      });
      this.#socket.send(
        JSON.stringify({ id, method, params, ...(session === undefined ? {} : { sessionId: session }) }),
      );
    });
  }

  async open(url: string): Promise<RawTab> {
    const { targetId } = await this.send<{ targetId: string }>("Target.createTarget", { url });
    return this.attach(targetId);
  }

  async attach(targetId: string): Promise<RawTab> {
    const { sessionId } = await this.send<{ sessionId: string }>("Target.attachToTarget", { targetId, flatten: true });
    return new RawTab(this, targetId, sessionId);
  }

  /** Ids of all tabs. */
  async targets(): Promise<string[]> {
    type Targets = { readonly targetInfos: readonly { readonly targetId: string; readonly type: string }[] };
    const { targetInfos } = await this.send<Targets>("Target.getTargets", {});
    return targetInfos.filter(({ type }) => type === "page").map(({ targetId }) => targetId);
  }

  async close(): Promise<void> {
    this.#socket.close();
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const ended = once(this.#child, "exit");
      this.#child.kill("SIGKILL");
      await ended;
    }
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** The address that the browser has written down. */
async function socketOf(file: string): Promise<string> {
  const giveUpAtMs = Date.now() + START_MS_MAX;
  for (;;) {
    try {
      const [port = "", path = ""] = readFileSync(file, "utf8").split("\n");
      if (path !== "") return `ws://127.0.0.1:${port}${path}`;
    } catch (error) {
      // Not there yet.
      if (Date.now() > giveUpAtMs) throw error;
    }
    await delay(50);
  }
}
