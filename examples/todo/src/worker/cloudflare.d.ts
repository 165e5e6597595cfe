// What the Worker uses of the module that only Cloudflare's runtime has. An app of its own gets all of it from `wrangler types`.

declare module "cloudflare:workers" {
  /** Lets the promise end after the answer has gone out. */
  export function waitUntil(promise: Promise<unknown>): void;
}
