import { expect, test } from "vitest";
import type { HttpFailure } from "../transport/http-exchange.ts";
import { createTestLoop, type TestLoop } from "./sync-loop.fixture.ts";
import type { UploadRun } from "./sync-loop.ts";

const body = { error: "", code: "" };
const http = (status: number, retryAfterMs: number | null = null): HttpFailure => ({
  kind: "http",
  status,
  url: "/blob",
  message: `${status}`,
  body,
  retryAfterMs,
});
const network: HttpFailure = { kind: "network", message: "offline", body };

/** A started loop whose one file meets these failures, one per run, and is then uploaded; when the runs began. */
function uploading(failures: readonly HttpFailure[]): TestLoop & { readonly runsAt: number[] } {
  const t = createTestLoop();
  const start = t.env.now();
  const runsAt: number[] = [];
  t.replica.files = ["f"];
  t.upload(async (): Promise<UploadRun> => {
    const failure = failures[runsAt.length];
    runsAt.push(t.env.now() - start);
    if (failure !== undefined) return { count: 0, failed: { hash: "f", failure } };
    t.replica.fileUploaded("f");
    t.loop.localWork();
    return { count: 1, failed: null };
  });
  t.loop.start();
  return Object.assign(t, { runsAt });
}

test("files that wait are uploaded at once, beside a pull", async () => {
  const t = uploading([]);
  await t.env.advance(0);
  expect(t.runsAt).toEqual([0]);
  expect(t.news()).toEqual(["pull@0"]);
  expect(t.errors).toEqual([]);
});

test("a mutation with files that is made later starts a run", async () => {
  const t = uploading([]);
  await t.env.advance(0);
  t.replica.files = ["f"];
  t.loop.filesWanted();
  await t.env.advance(0);
  expect(t.runsAt).toHaveLength(2);
});

test("what may pass is tried again with growing waits, and told as it is", async () => {
  const t = uploading([http(503), network, http(500)]);
  await t.env.advance(4_000);
  expect(t.runsAt).toHaveLength(4);
  const waits = t.runsAt.map((at, i) => at - (t.runsAt[i - 1] ?? 0)).slice(1);
  expect(waits.every((ms, i) => ms >= 250 * 2 ** i && ms <= 500 * 2 ** i)).toBe(true);
  expect(t.errors).toEqual([
    { kind: "blob-upload-failed", hash: "f", message: "503", willRetry: true },
    { kind: "network", phase: "upload", message: "offline" },
    { kind: "blob-upload-failed", hash: "f", message: "500", willRetry: true },
  ]);
});

test("a Retry-After is waited for, whatever else asks for uploads", async () => {
  const t = uploading([http(429, 7_000)]);
  await t.env.advance(0);
  t.loop.filesWanted();
  void t.loop.uploadOnce();
  await t.env.advance(6_999);
  expect(t.runsAt).toEqual([0]);
  await t.env.advance(1);
  expect(t.runsAt).toEqual([0, 7_000]);
});

test("a 401 waits for a poll, and says that a login is needed", async () => {
  const t = uploading([http(401)]);
  await t.env.advance(4_999);
  expect(t.runsAt).toEqual([0]);
  expect(t.statuses.some(({ auth }) => auth === "required")).toBe(true);
  await t.env.advance(1);
  expect(t.runsAt).toHaveLength(2);
  expect(t.statuses.at(-1)?.auth).toBe("ok");
});

test("a network that is back starts uploads at once", async () => {
  const t = uploading(Array.from({ length: 5 }, () => network));
  t.loop.setOnline(false);
  await t.env.advance(60_000);
  const before = t.runsAt.length;
  t.loop.setOnline(true);
  await t.env.advance(0);
  expect(t.runsAt.length).toBe(before + 1);
});

test("uploadOnce resolves when the run has ended, also when it failed", async () => {
  const t = uploading([http(503)]);
  await t.env.advance(0);
  let ended = 0;
  void t.loop.uploadOnce().then(() => (ended += 1));
  await t.env.advance(0);
  expect([ended, t.runsAt.length]).toEqual([1, 2]);
  void t.loop.uploadOnce().then(() => (ended += 1));
  await t.env.advance(0);
  expect(ended).toBe(2);
});

test("a stop gives the run up, and nothing of it counts", async () => {
  const t = createTestLoop();
  const signals: AbortSignal[] = [];
  t.replica.files = ["f"];
  t.upload((signal) => {
    signals.push(signal);
    return new Promise((resolve) => {
      signal.addEventListener("abort", () => resolve({ count: 0, failed: { hash: "f", failure: network } }));
    });
  });
  t.loop.start();
  await t.env.advance(0);
  t.loop.stop();
  await t.env.advance(0);
  expect(signals[0]?.aborted).toBe(true);
  expect(t.errors).toEqual([]);
});
