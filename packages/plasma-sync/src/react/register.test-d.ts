// What registering a client means for types. A real registration merges into the whole program, so these tests use the
// type functions that the hooks use; the todo example registers its client for real.
import type { PlasmaClient } from "../client/plasma-client.ts";
import type { Mutators } from "../core/mutation/mutator.ts";
import type { Schema } from "../core/schema/schema.ts";
import { usePlasma, PlasmaProvider } from "./plasma-provider.tsx";
import type { ClientOf, MutatorsOf } from "./register.ts";
import { useMutation } from "./use-mutation.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>(): void => undefined;

type AppMutators = Mutators<{ createTodo: { title: string }; clearDone: undefined }>;
type AppClient = PlasmaClient<Schema<{}>, AppMutators>;
declare const client: AppClient;

holds<Same<ClientOf<{ client: AppClient }>, AppClient>>();
holds<Same<MutatorsOf<AppClient>, AppMutators>>();
holds<Same<ClientOf<{}>, PlasmaClient>>();

export function acceptedPrograms() {
  const create = useMutation<AppMutators, "createTodo">("createTodo", { onError: (_error, args) => args.title.length });
  create.mutate({ title: "Water the plants" }).server.catch(() => undefined);
  void useMutation<AppMutators, "clearDone">("clearDone").mutate();
  void usePlasma<AppClient>().mutate.createTodo({ title: "Water the plants" });
  return PlasmaProvider({ client });
}

export function refusedPrograms() {
  const create = useMutation<AppMutators, "createTodo">("createTodo");
  // @ts-expect-error -- title is text
  void create.mutate({ title: 1 });
  // @ts-expect-error -- args are missing
  void create.mutate();
  // @ts-expect-error -- no such mutator
  useMutation<AppMutators, "createList">("createList");
  // @ts-expect-error -- without a registration the mutators must be named
  useMutation("createTodo");
}
