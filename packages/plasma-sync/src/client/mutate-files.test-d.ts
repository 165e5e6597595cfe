// Types of files in args: what `mutate` takes, and what it does not.

import { defineMutators, type MutatorInput } from "../core/mutation/mutator.ts";
import type { FileRef, JsonValue } from "../core/schema/value.ts";
import { defineSchema } from "../core/schema/schema.ts";
import { id } from "../core/schema/column.ts";
import { file } from "../core/schema/file-column.ts";
import { table } from "../core/schema/table.ts";
import type { PlasmaClient, WithFiles } from "./plasma-client.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>(): void => undefined;

type Brand = string & { readonly __brand: "id" };
interface Tree {
  readonly name: string;
  readonly icon: FileRef | null;
  readonly children: readonly Tree[];
}

holds<Same<WithFiles<FileRef>, FileRef | Blob>>();
holds<Same<WithFiles<FileRef | null>, FileRef | Blob | null>>();
holds<Same<WithFiles<string>, string>>();
holds<Same<WithFiles<Brand>, Brand>>();
holds<Same<WithFiles<Uint8Array>, Uint8Array>>();
holds<Same<WithFiles<bigint | undefined>, bigint | undefined>>();
holds<Same<WithFiles<unknown>, unknown>>();
// oxlint-disable-next-line typescript/no-explicit-any -- what is tested
holds<Same<WithFiles<any>, any>>();
holds<Same<WithFiles<{ readonly id: string; cover?: FileRef }>, { readonly id: string; cover?: FileRef | Blob }>>();
holds<Same<WithFiles<readonly FileRef[]>, readonly (FileRef | Blob)[]>>();
holds<Same<WithFiles<[FileRef, number]>, [FileRef | Blob, number]>>();
holds<Same<WithFiles<undefined>, undefined>>();
const json: JsonValue = { a: [1] };
const withFiles: WithFiles<JsonValue> = json;
void withFiles;

const schema = defineSchema({ notes: table("notes", { id: id(), cover: file().nullable() }) });
type Input<A> = MutatorInput<typeof schema, unknown, A>;
const mutators = defineMutators<typeof schema, unknown>()({
  add: (_: Input<{ id: string; cover: FileRef | null; more?: FileRef[] }>) => undefined,
  tree: (_: Input<Tree>) => undefined,
  plain: (_: Input<{ id: string }>) => undefined,
  none: (_: Input<undefined>) => undefined,
});
declare const client: PlasmaClient<typeof schema, typeof mutators>;
declare const picked: File;
declare const ref: FileRef;

export function accepted(): void {
  void client.mutate.add({ id: "1", cover: picked });
  void client.mutate.add({ id: "1", cover: null, more: [ref, new Blob(["x"]), picked] });
  void client.mutate("add", { id: "1", cover: ref });
  void client.mutate.tree({ name: "a", icon: picked, children: [{ name: "b", icon: null, children: [] }] });
  void client.mutate.none();
}

export function refused(): void {
  // @ts-expect-error -- bytes are wrapped in a Blob
  void client.mutate.add({ id: "1", cover: new Uint8Array(3) });
  // @ts-expect-error -- an id is no file
  void client.mutate.add({ id: picked, cover: null });
  // @ts-expect-error -- nor is a file taken where the mutator has none
  void client.mutate.plain({ id: "1", cover: picked });
  // @ts-expect-error -- not a URL
  void client.mutate("add", { id: "1", cover: "https://example.com/x.png" });
}
