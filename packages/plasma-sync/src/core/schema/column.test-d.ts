// Columns made where a record of columns is expected keep their type; an open type parameter would become any there.
import { crdtLwwRegister, crdtOrSet, id, json, text, type CrdtLwwState, type CrdtOrSetState } from "./column.ts";
import { table, type InferRow } from "./table.ts";
import type { JsonValue } from "./value.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>(): void => undefined;

const notes = table("notes", {
  id: id(),
  title: text(),
  state: text<"open" | "done">(),
  size: text({ enum: ["s", "m"] }).nullable(),
  extra: json(),
  tags: json<readonly string[]>(),
  last: crdtLwwRegister(),
  members: crdtOrSet<string>(),
});
type Note = InferRow<typeof notes>;

holds<Same<Note["title"], string>>();
holds<Same<Note["state"], "open" | "done">>();
holds<Same<Note["size"], "s" | "m" | null>>();
holds<Same<Note["extra"], JsonValue>>();
holds<Same<Note["tags"], readonly string[]>>();
holds<Same<Note["last"], CrdtLwwState<JsonValue>>>();
holds<Same<Note["members"], CrdtOrSetState<string>>>();
