// What only a real browser shows: the worker that hashes, pages that may have none, and how long the page stands still.
import { afterEach, describe, expect, test, vi } from "vitest";
import { cdp } from "vitest/browser";
import { systemEnv } from "../../core/lib/env.ts";
import * as limits from "../../core/limits.ts";
import { createIdbLocalBlobs } from "../store/idb-local-blobs.ts";
import { databaseName } from "../store/layout.ts";
import { bytesOf, hashOf, readBack } from "./local-blobs.suite.ts";
import { takeInFile } from "./take-in-file.ts";

const PIECE = bytesOf(1_000_000);
const fileOf = (megabytes: number) =>
  new File(
    Array.from({ length: megabytes }, () => PIECE),
    "film.mp4",
  );
const open = () => createIdbLocalBlobs({ name: databaseName(systemEnv.randomUUID(), "ada"), env: systemEnv });

const noWorker: readonly [where: string, worker: unknown][] = [
  ["where workers are not known", undefined],
  [
    "where a policy forbids them",
    function refusedWorker() {
      throw new DOMException("Refused by the policy.", "SecurityError");
    },
  ],
  [
    "where the worker's file is not found",
    class extends Worker {
      constructor() {
        super(new URL("data:text/javascript,throw new Error('no such file')"));
      }
    },
  ],
];

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  /** Microseconds. */
  readonly ts: number;
  /** Microseconds of the thread's own time: what else the machine does is not in it. */
  readonly tdur?: number;
}

interface TracingSession {
  send(method: string, params?: object): Promise<unknown>;
  on(event: string, listener: (params: { readonly value: readonly TraceEvent[] }) => void): void;
}

/** Milliseconds of the page's thread that each of its tasks took during `run`. */
async function taskMsDuring(run: () => Promise<unknown>): Promise<number[]> {
  const session = cdp() as unknown as TracingSession;
  const events: TraceEvent[] = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...value));
  const complete = new Promise<void>((resolve) => session.on("Tracing.tracingComplete", () => resolve()));
  const includedCategories = ["toplevel", "disabled-by-default-devtools.timeline", "blink.user_timing"];
  await session.send("Tracing.start", { transferMode: "ReportEvents", traceConfig: { includedCategories } });
  performance.mark("plasma-begin");
  await run();
  performance.mark("plasma-end");
  await session.send("Tracing.end");
  await complete;
  const [begin, end] = ["plasma-begin", "plasma-end"].map((name) => events.find((event) => event.name === name));
  return events
    .filter(({ name, ph }) => ph === "X" && name === "RunTask")
    .filter(({ pid, tid }) => pid === begin?.pid && tid === begin.tid)
    .filter(({ ts }) => ts > (begin?.ts ?? 0) && ts < (end?.ts ?? 0))
    .map(({ tdur = 0 }) => tdur / 1000);
}

describe("taking a large file in", () => {
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });

  test("one worker hashes it, and ends with it", async () => {
    const ended = vi.spyOn(Worker.prototype, "terminate");
    const posted = vi.spyOn(Worker.prototype, "postMessage");
    const [blobs, file] = [open(), fileOf(12)];
    const hash = await takeInFile(blobs, file);
    expect(hash).toBe(await hashOf(new Uint8Array(await file.arrayBuffer())));
    expect(posted.mock.calls.length).toBe(Math.ceil(file.size / limits.blobChunkBytes) + 1);
    expect([ended.mock.calls.length, new Set(ended.mock.contexts).size]).toEqual([1, 1]);
    expect(await hashOf((await readBack(blobs, hash)) as Uint8Array<ArrayBuffer>)).toBe(hash);
  });

  test.each(noWorker)("%s, the page hashes it", async (_where, worker) => {
    vi.stubGlobal("Worker", worker);
    const file = fileOf(10);
    expect(await takeInFile(open(), file)).toBe(await hashOf(new Uint8Array(await file.arrayBuffer())));
  });

  test("a worker that dies in the middle rejects, and leaves nothing", async () => {
    const { postMessage } = Worker.prototype;
    let pieces = 0;
    vi.spyOn(Worker.prototype, "postMessage").mockImplementation(function (this: Worker, message: unknown) {
      if (++pieces === 4) this.onerror?.(new ErrorEvent("error", { message: "out of memory" }));
      else postMessage.call(this, message);
    });
    const blobs = open();
    await expect(takeInFile(blobs, fileOf(12))).rejects.toMatchObject({ code: "client/file" });
    vi.restoreAllMocks();
    expect(await blobs.notUploaded()).toEqual([]);
  });

  test.each([["with a worker", undefined] as const, ["without", noWorker[1]?.[1]] as const])(
    "%s no task takes the page 50 ms",
    async (_how, worker) => {
      if (worker !== undefined) vi.stubGlobal("Worker", worker);
      const [blobs, file] = [open(), fileOf(32)];
      // Its code is loaded and warm, as it is not for the first file of a page's life.
      await takeInFile(blobs, fileOf(9));
      const taskMs = await taskMsDuring(() => takeInFile(blobs, file));
      expect(taskMs.length).toBeGreaterThan(32);
      expect(Math.max(...taskMs)).toBeLessThan(50);
    },
  );
});
