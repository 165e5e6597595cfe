// Owns: calling a function of the app in the middle of our own work.

/** Calls it; what it throws becomes an unhandled rejection, which the app sees, and never stops the caller. */
export function callApp(fn: () => void): void {
  try {
    fn();
  } catch (error) {
    void Promise.reject(error);
  }
}
