// Owns: makeCall: one call of a mutator in a tab, and what is noted of how it ends.

import type { AnyMutators } from "../../packages/plasma-sync/src/core/mutation/mutator.ts";
import type { AnySchema } from "../../packages/plasma-sync/src/core/schema/schema.ts";
import type { PlasmaClient } from "../../packages/plasma-sync/src/client/plasma-client.ts";
import type { SimTab } from "../../packages/plasma-sync/src/testing/sim-world.ts";
import { withFiles } from "./features-files.ts";
import type { CallRecord } from "./history.ts";
import type { RunScope } from "./run-scope.ts";
import type { Step } from "./script.ts";
import { plain } from "./show-run.ts";

type Called = Extract<Step, { do: "mutate" }> & { readonly token: string };
type Made = Promise<void> & { readonly server: Promise<unknown> };

export function makeCall(run: RunScope, tab: SimTab, called: Called): void {
  const { call, token, chained } = called;
  const { history } = run;
  const record = recordOf(run, tab, called);
  // Frozen tabs do nothing: neither does their person.
  if (tab.life.isFrozen) return;
  history.calls.set(token, record);
  run.trace(tab.name, `mutate ${call.name} ${token} ${plain(call.args)}`);
  const { mutate } = tab.client as PlasmaClient<AnySchema, AnyMutators> & {
    mutate: (name: string, args: unknown) => any;
  };
  const { device } = tab;
  const made = mutate(call.name, {
    ...withFiles(call.args, device.user),
    token,
    device: device.name,
    shared: isShared(run, called),
    chained,
  }) as Made;
  follow(run, record, made);
}

/** Receipts that are summed up are for everybody. */
const isShared = ({ apps }: RunScope, { shared, call }: Called): boolean =>
  shared || apps.v1.mutatorsByName.get(call.name)?.effect !== undefined;

const recordOf = ({ apps, world }: RunScope, tab: SimTab, { call, token }: Called): CallRecord => ({
  token,
  tab: tab.name,
  device: tab.device.name,
  user: tab.device.user,
  call,
  madeMs: world.clock.elapsedMs,
  mayThrow: apps.v1.mutatorsByName.get(call.name)?.mayThrow ?? true,
  isLocal: apps.v1.mutatorsByName.get(call.name)?.isLocal ?? false,
  local: "open",
  localError: null,
  server: "open",
  told: 0,
  place: null,
});

function follow(run: RunScope, record: CallRecord, made: Made): void {
  const { history } = run;
  const { token, call, tab } = record;
  made.then(
    () => {
      record.local = "durable";
      run.trace(tab, `${token} is durable`);
    },
    (error: unknown) => {
      record.local = "failed";
      record.localError = error;
      run.trace(tab, `${token} failed: ${String(error)}`);
      history.count(`mutate failed: ${codeOf(error)}`);
      if (codeOf(error).startsWith("bug/")) history.violate(`${call.name} ${token} failed: ${String(error)}`);
    },
  );
  made.server.then(
    () => {
      record.server = "applied";
      run.trace(tab, `${token} is applied`);
    },
    (error: unknown) => {
      record.server = (error as { readonly name?: string }).name === "MutationRejectedError" ? "rejected" : "ended";
      run.trace(tab, `${token} .server: ${String(error)}`);
    },
  );
}

export const codeOf = (error: unknown): string => {
  const { code, name } = (error ?? {}) as { readonly code?: string; readonly name?: string };
  return code ?? name ?? String(error);
};
