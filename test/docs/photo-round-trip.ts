// Owns: what the tests of the files guide try on each platform: a photo of Ada's, which Grace may not see.

import { expect } from "vitest";
type Send = (path: string, init: RequestInit) => Promise<Response>;

export async function photoRoundTrip(send: Send): Promise<void> {
  const bytes = new TextEncoder().encode("a photo");
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  const hash = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  const image = { hash, size: bytes.length, mime: "image/png", name: "photo.png" };
  const fetchBy = (user: string) => send(`/sync/blob/${hash}`, { headers: { "x-user": user } });
  const put = await send(`/sync/blob/${hash}`, {
    method: "PUT",
    body: bytes,
    headers: { "x-user": "ada", "content-type": "image/png" },
  });
  expect(put.status).toBe(204);
  expect((await fetchBy("ada")).status).toBe(404);
  for (const [user, status] of [
    ["ada", "applied"],
    ["grace", "rejected"],
  ] as const) {
    const mutations = [{ id: 1, name: "addPhoto", args: { image: { $file: image } }, timestamp: Date.now() }];
    const body = { protocolVersion: 1, schemaVersion: "1", clientGroupID: user, clientID: `${user}-1`, mutations };
    const headers = { "x-user": user, "content-type": "application/json" };
    const push = await send("/sync/push", { method: "POST", body: JSON.stringify(body), headers });
    expect(((await push.json()) as { results: object[] }).results).toMatchObject([{ status }]);
  }
  const answer = await fetchBy("ada");
  expect([answer.status, new TextDecoder().decode(await answer.arrayBuffer())]).toEqual([200, "a photo"]);
  expect(answer.headers.get("content-disposition")).toBe("inline; filename*=UTF-8''photo.png");
  expect((await fetchBy("grace")).status).toBe(404);
}
