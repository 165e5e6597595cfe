// Owns: useMutation, one mutator as React state.
// Invariants:
//   1. Pending, success and settled are local: they end once the mutation is in the view and durable.
//   2. A refusal by the server, however late, shows as `error`; each call reports at most one error.
//   3. A promise that nobody awaits never raises `unhandledrejection`.

import { useCallback, useLayoutEffect, useRef, useState } from "react";
import type { Mutate, MutationPromise, WithFiles } from "../client/plasma-client.ts";
import { isPlasmaError } from "../core/error.ts";
import type { AnyMutators, MutatorArgs, MutatorName } from "../core/mutation/mutator.ts";
import { usePlasma } from "./plasma-provider.tsx";
import type { AnyPlasmaClient, RegisteredMutators } from "./register.ts";

export interface UseMutationOptions<Args> {
  /** The mutation is on screen and durable. */
  readonly onSuccess?: (args: Args) => void;
  /** It failed at the call (then `onSettled` follows), or the server refused it later. */
  readonly onError?: (error: Error, args: Args) => void;
  /** After `onSuccess`, or after `onError` at the call. */
  readonly onSettled?: (error: Error | null, args: Args) => void;
}

export interface UseMutationResult<M extends AnyMutators, N extends MutatorName<M>> {
  /** `client.mutate[name]`. Its identity stays while the client and the name do. The promise may be ignored. */
  readonly mutate: Mutate<M>[N];
  /** Whether a call of this hook is not yet durable. */
  readonly isPending: boolean;
  /** Of the newest call that failed or was refused; cleared by `reset` and by the next call. */
  readonly error: Error | null;
  readonly reset: () => void;
}

interface MutationState {
  readonly running: number;
  readonly error: Error | null;
}

const IDLE: MutationState = { running: 0, error: null };

/**
 * Calls one mutator and follows it. Callbacks are those of the last render. Where the app has not registered its client,
 * name its mutators: `useMutation<typeof mutators, "createTodo">("createTodo")`.
 *
 * @throws PlasmaError `client/no-provider` outside of a provider.
 * @example
 * const { mutate, error } = useMutation("createTodo", { onError: (e) => toast(e.message) });
 * mutate({ title: "Water the plants" });
 */
export function useMutation<N extends MutatorName<RegisteredMutators>>(
  name: N,
  options?: UseMutationOptions<WithFiles<MutatorArgs<RegisteredMutators, N>>>,
): UseMutationResult<RegisteredMutators, N>;
export function useMutation<M extends AnyMutators, N extends MutatorName<M>>(
  name: N,
  options?: UseMutationOptions<WithFiles<MutatorArgs<M, N>>>,
): UseMutationResult<M, N>;
export function useMutation<M extends AnyMutators, N extends MutatorName<M>>(
  name: N,
  options: UseMutationOptions<WithFiles<MutatorArgs<M, N>>> = {},
): UseMutationResult<M, N> {
  const client = usePlasma<AnyPlasmaClient & { readonly mutate: Mutate<M> }>();
  const [state, setState] = useState(IDLE);
  const latest = useRef(options);
  useLayoutEffect(() => {
    latest.current = options;
  });
  const mutate = useCallback(
    (args?: WithFiles<MutatorArgs<M, N>>): MutationPromise => {
      const call = client.mutate as (name: N, args?: WithFiles<MutatorArgs<M, N>>) => MutationPromise;
      const promise = call(name, args);
      setState(({ running }) => ({ running: running + 1, error: null }));
      follow(promise, args as WithFiles<MutatorArgs<M, N>>, { latest, setState });
      return promise;
    },
    [client, name],
  );
  const reset = useCallback(() => setState(({ running }) => ({ running, error: null })), []);
  return { mutate: mutate as Mutate<M>[N], isPending: state.running > 0, error: state.error, reset };
}

interface Following<Args> {
  readonly latest: { readonly current: UseMutationOptions<Args> };
  readonly setState: (change: (state: MutationState) => MutationState) => void;
}

function follow<Args>(promise: MutationPromise, args: Args, { latest, setState }: Following<Args>): void {
  const ended = (error: Error | null) =>
    setState((state) => ({ running: state.running - 1, error: error ?? state.error }));
  const succeeded = () => {
    ended(null);
    promise.server.catch(refused);
    latest.current.onSuccess?.(args);
    latest.current.onSettled?.(null, args);
  };
  const failed = (error: Error) => {
    ended(error);
    latest.current.onError?.(error, args);
    latest.current.onSettled?.(error, args);
  };
  const refused = (error: Error) => {
    // A closed client says nothing of the mutation: it stays in the outbox and the next client sends it.
    if (isPlasmaError(error, "client/closed")) return;
    setState((state) => ({ ...state, error }));
    latest.current.onError?.(error, args);
  };
  promise.then(succeeded, failed);
}
