// Owns: expectFile and expectNoFile: whether a person can read a file, and that it is what was given.

import type { AnyMutators } from "../core/mutation/mutator.ts";
import { sameValue } from "../core/lib/deep-equal.ts";
import type { AnySchema } from "../core/schema/schema.ts";
import type { FileRef } from "../core/schema/value.ts";
import type { TestClient } from "./test-client.ts";
import { TestFailure } from "./test-failure.ts";
import { tabOf } from "./test-tab.ts";

/**
 * Lets the world settle, and fails unless the client reads these bytes, from its device or from the server.
 *
 * @throws TestFailure `test/file`.
 * @example
 * const [note] = await grace.db.select().from(notes);
 * await expectFile(grace, note.photo, "the photo's bytes");
 */
export async function expectFile<S extends AnySchema, M extends AnyMutators>(
  client: TestClient<S, M>,
  ref: FileRef | null | undefined,
  contents: string | Uint8Array,
): Promise<void> {
  await tabOf(client).settle();
  if (ref === null || ref === undefined) throw failure(client, "to read a file, and the row has none");
  const file = await client.readFile(ref);
  if (!("bytes" in file)) throw failure(client, `to read ${nameOf(ref)}, which is "${file.status}"`);
  const expected = typeof contents === "string" ? new TextEncoder().encode(contents) : contents;
  const actual = new Uint8Array(await file.bytes.arrayBuffer());
  if (!sameValue(actual, expected))
    throw failure(client, `to read ${expected.length} bytes in ${nameOf(ref)}, which holds ${actual.length} others`);
}

/**
 * Lets the world settle, and fails if the server gives the client's user the file. What the device keeps is not asked: it may
 * be the user's own, not sent yet.
 *
 * @throws TestFailure `test/file`.
 * @example
 * await expectNoFile(linus, note.photo);
 */
export async function expectNoFile<S extends AnySchema, M extends AnyMutators>(
  client: TestClient<S, M>,
  ref: FileRef,
): Promise<void> {
  const tab = tabOf(client);
  await tab.settle();
  const status = await tab.askForFile(ref.hash);
  if (status !== 404) throw failure(client, `not to get ${nameOf(ref)}, and the server answered ${status}`);
}

const nameOf = ({ name, hash }: FileRef): string => name ?? `the file ${hash.slice(0, 8)}…`;

const failure = ({ user }: { readonly user: string }, what: string): TestFailure =>
  new TestFailure("test/file", `Expected ${user} ${what}.`);
