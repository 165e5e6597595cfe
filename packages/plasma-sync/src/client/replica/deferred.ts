// Owns: Deferred, a promise that is settled from outside and never raises `unhandledrejection` by itself.

export class Deferred<T> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;
  reject!: (error: unknown) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Whoever holds the promise still sees the rejection; this branch only says that nobody has to.
    this.promise.catch(() => undefined);
  }
}
