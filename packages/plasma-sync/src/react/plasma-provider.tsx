// Owns: how hooks find the client: PlasmaProvider and usePlasma.

import { createContext, useContext, type ReactNode } from "react";
import { PlasmaError } from "../core/error.ts";
import type { AnyPlasmaClient, RegisteredClient } from "./register.ts";

/** Null outside of a provider. */
export const PlasmaContext = createContext<AnyPlasmaClient | null>(null);

export interface PlasmaProviderProps {
  /** Made once per user, outside of components. The provider neither starts nor closes it. */
  readonly client: AnyPlasmaClient;
  readonly children?: ReactNode;
}

/**
 * Gives the client to the hooks below. Given another client, their live queries begin anew and forget the rows of the
 * client before.
 *
 * @example
 * createRoot(element).render(<PlasmaProvider client={client}><App /></PlasmaProvider>);
 */
export function PlasmaProvider({ client, children }: PlasmaProviderProps): ReactNode {
  // React 18 knows only the long form.
  return <PlasmaContext.Provider value={client}>{children}</PlasmaContext.Provider>;
}

/**
 * The client of the nearest provider, typed by `Register`, or by the generic where the app has not registered one.
 *
 * @throws PlasmaError `client/no-provider` outside of a provider.
 * @example
 * const client = usePlasma();
 * await client.mutate.createTodo({ title: "Water the plants" });
 */
export function usePlasma<C extends AnyPlasmaClient = RegisteredClient>(): C {
  const client = useContext(PlasmaContext);
  if (client === null) throw new PlasmaError("client/no-provider", {});
  return client as C;
}
