// Owns: whether the platform says that there is a network. It may be wrong in both directions: a hint, not a fact.

export interface NetworkState {
  online(): boolean;
  close(): void;
}

/** That of a client that uses none. */
export const noNetwork: NetworkState = { online: () => false, close: () => undefined };

/** Calls `onChange` when the platform's word changes. Where it has none, there is a network. */
export function watchNetwork(onChange: (online: boolean) => void): NetworkState {
  const isOnline = () => (globalThis.navigator as Navigator | undefined)?.onLine !== false;
  const target = typeof globalThis.addEventListener === "function" ? globalThis : null;
  const toOnline = () => onChange(true);
  const toOffline = () => onChange(false);
  target?.addEventListener("online", toOnline);
  target?.addEventListener("offline", toOffline);
  return {
    online: isOnline,
    close: () => {
      target?.removeEventListener("online", toOnline);
      target?.removeEventListener("offline", toOffline);
    },
  };
}
