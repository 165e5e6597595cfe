// Owns: how a workload learns that a side has put its disk in order, whatever it does in the background: nothing has been written for
// a while. Import it before the side is used.

const REST_MS = 2000;

let lastWriteMs = performance.now();
// A method of the platform, called as such below.
// oxlint-disable-next-line typescript/unbound-method
const { transaction } = IDBDatabase.prototype;
IDBDatabase.prototype.transaction = function (this: IDBDatabase, ...args) {
  if (args[1] === "readwrite") lastWriteMs = performance.now();
  return transaction.apply(this, args);
};

/** Resolves when nothing has been written to IndexedDB for two seconds. */
export async function whenDiskRests(): Promise<void> {
  for (;;) {
    const restMs = performance.now() - lastWriteMs;
    if (restMs >= REST_MS) return;
    await new Promise((resolve) => setTimeout(resolve, REST_MS - restMs));
  }
}
