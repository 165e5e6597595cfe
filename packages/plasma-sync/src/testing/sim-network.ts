// Owns: SimNetwork: requests from simulated clients to simulated servers, and what can happen to them on the way.
//
//   client ──delay──► (lost) (twice) ──► server: handled ──delay──► (lost) ──► client
//
// Invariants:
//   1. A request that the server has handled may be unknown to its client for ever: whoever made it must be able to ask again.
//   2. Requests overtake each other, each having its own delays.
//   3. A client that is cut off learns it at once or never (its own bound ends the wait).

import { SimLife, type SimClock } from "./sim-clock.ts";
import type { SimRandom } from "./sim-random.ts";

export interface NetworkFaults {
  readonly delayMsMax: number;
  /** Probabilities for each request. */
  readonly lostRequest: number;
  readonly lostAnswer: number;
  readonly duplicate: number;
  /** A gateway answers in place of the server. */
  readonly badGateway: number;
  /** Probability for each message of a socket that its connection breaks there. */
  readonly socketCut: number;
}

export const calm: NetworkFaults = {
  delayMsMax: 20,
  lostRequest: 0,
  lostAnswer: 0,
  duplicate: 0,
  badGateway: 0,
  socketCut: 0,
};

export interface Doomed {
  readonly what: "request" | "answer";
  readonly matches: (device: string, request: SimRequest) => boolean;
}

export interface SimRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [string, string])[];
  /** Text; null when there is none, or bytes. */
  readonly body: string | null;
  /** Of a file that is sent up. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
}

export interface SimAnswer {
  readonly status: number;
  readonly headers: readonly (readonly [string, string])[];
  /** As text, what is none included. */
  readonly body: string;
  /** Of a file. */
  readonly bytes?: Uint8Array<ArrayBuffer>;
}

/** What a server answers with. An upload comes as it arrives, and may break off. */
export type SimHandle = (request: SimRequest, upload?: ReadableStream<Uint8Array>) => Promise<SimAnswer>;

export interface NetworkScope {
  readonly clock: SimClock;
  readonly random: SimRandom;
  /** What answers; null while no server runs. */
  readonly server: () => { readonly life: SimLife; readonly handle: SimHandle } | null;
  /** A proxy's own answer to a request, in place of the server's; null lets it through. */
  readonly proxy?: (request: SimRequest) => SimAnswer | null;
  /** Told of every fault, and of which tab's request. */
  readonly note: (what: string, tab: string) => void;
  /** Told of every request that a server has handled, twice when it came twice. */
  readonly onHandled?: (request: SimRequest, answer: SimAnswer) => void;
}

/** Milliseconds after which a client learns that its request, or the answer, was lost. */
const LOST_MS = 800;

export class SimNetwork {
  readonly #scope: NetworkScope;
  faults: NetworkFaults = calm;
  /** Names of devices that reach nobody. */
  readonly cutOff = new Set<string>();
  readonly #wires = new SimLife("network");
  /** Requests and answers that are to be lost, each once. */
  readonly #doomed: Doomed[] = [];

  constructor(scope: NetworkScope) {
    this.#scope = scope;
  }

  /** Loses the next request that matches, or the answer to it. */
  lose(doomed: Doomed): void {
    this.#doomed.push(doomed);
  }

  /** What the client of a tab fetches with. */
  fetcher(device: string, life: SimLife): (request: Request) => Promise<Response> {
    return async (request) => {
      const isUpload = request.method === "PUT";
      const plain: SimRequest = {
        method: request.method,
        url: request.url,
        headers: [...request.headers],
        body: request.body === null || isUpload ? null : await request.text(),
        ...(isUpload ? { bytes: new Uint8Array(await request.arrayBuffer()) } : {}),
      };
      const { status, headers, body, bytes } = await this.#send(device, life, plain);
      const list = headers.map(([name, value]): [string, string] => [name, value]);
      return new Response(isBodiless(status, request.method) ? null : (bytes ?? body), { status, headers: list });
    };
  }

  async #send(device: string, life: SimLife, request: SimRequest): Promise<SimAnswer> {
    const { clock, random, note } = this.#scope;
    const { faults } = this;
    if (this.cutOff.has(device)) {
      note("network: cut off", life.name);
      await clock.sleep(random.int(0, faults.delayMsMax), life);
      throw new TypeError("Failed to fetch");
    }
    const doomed = this.#takeDoomed(device, request);
    if (doomed === "request" || random.chance(faults.lostRequest)) {
      // An upload may break off on its way; the server sees what has come.
      if (request.bytes === undefined || random.chance(0.4)) return this.#lost("network: request lost", life);
      void this.#handled(request, random.int(0, faults.delayMsMax), random.fraction()).catch(() => undefined);
      return this.#lost("network: upload cut", life);
    }
    if (random.chance(faults.badGateway)) {
      note("network: bad gateway", life.name);
      await clock.sleep(random.int(0, faults.delayMsMax), life);
      return { status: 502, headers: [["content-type", "text/html"]], body: "<h1>Bad gateway</h1>" };
    }
    if (random.chance(faults.duplicate)) {
      note("network: request twice", life.name);
      // Nobody waits for the copy's answer.
      void this.#handled(request, random.int(0, 10 * faults.delayMsMax)).catch(() => undefined);
    }
    const isAnswerLost = doomed === "answer" || random.chance(faults.lostAnswer);
    const answer = await this.#handled(request, random.int(0, faults.delayMsMax));
    if (answer === null) return this.#lost("network: no server", life);
    if (isAnswerLost) return this.#lost("network: answer lost", life);
    if (this.cutOff.has(device)) return this.#lost("network: cut off before the answer", life);
    await clock.sleep(random.int(0, faults.delayMsMax), life);
    return answer;
  }

  #takeDoomed(device: string, request: SimRequest): Doomed["what"] | null {
    const at = this.#doomed.findIndex(({ matches }) => matches(device, request));
    return at === -1 ? null : (this.#doomed.splice(at, 1)[0]?.what ?? null);
  }

  async #lost(what: string, life: SimLife): Promise<never> {
    this.#scope.note(what, life.name);
    await this.#scope.clock.sleep(LOST_MS, life);
    throw new TypeError("Failed to fetch");
  }

  /** Null when there is no server, or it dies over it. Of an upload only the part `share` arrives when it is below 1. */
  #handled(request: SimRequest, delayMs: number, share = 1): Promise<SimAnswer | null> {
    const { clock, server, onHandled, proxy } = this.#scope;
    return new Promise((resolve) => {
      clock.after(delayMs, this.#wires, () => {
        const refusal = proxy?.(request) ?? null;
        if (refusal !== null) return resolve(refusal);
        const found = server();
        if (found === null) return resolve(null);
        const onAnswer = (answer: SimAnswer) => {
          if (found.life.isDead) return resolve(null);
          onHandled?.(request, answer);
          return resolve(answer);
        };
        const { bytes } = request;
        const upload = bytes === undefined ? undefined : this.#uploadOf(bytes, share);
        found.handle(request, upload).then(onAnswer, () => (found.life.isDead ? resolve(null) : undefined));
      });
    });
  }
  /** The bytes in a few pieces, one after another; without the rest when the connection breaks. */
  #uploadOf(bytes: Uint8Array<ArrayBuffer>, share: number): ReadableStream<Uint8Array> {
    const { clock, random } = this.#scope;
    const end = share < 1 ? Math.floor(bytes.length * share) : bytes.length;
    const step = Math.max(1, Math.ceil(bytes.length / UPLOAD_PIECES));
    let sent = 0;
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          await clock.sleep(random.int(0, this.faults.delayMsMax), this.#wires);
          if (sent < end) controller.enqueue(bytes.slice(sent, (sent = Math.min(end, sent + step))));
          else if (share < 1) controller.error(new TypeError("the connection was reset"));
          else controller.close();
        },
      },
      { highWaterMark: 0 },
    );
  }
}

const UPLOAD_PIECES = 3;

const isBodiless = (status: number, method: string): boolean => status === 204 || status === 304 || method === "HEAD";
