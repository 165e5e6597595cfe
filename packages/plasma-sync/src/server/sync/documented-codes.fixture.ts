// Owns: the statuses and codes that clients are promised (SPEC §6), for tests that hold the server to them.

/** By status. */
export const ERROR_CODES: { readonly [status: number]: readonly string[] } = {
  400: ["request/invalid", "auth/group-mismatch", "auth/client-mismatch", "pull/cookie"],
  401: ["auth/unauthorized"],
  404: ["request/not-found"],
  405: ["request/method"],
  409: ["protocol/mismatch", "schema/mismatch", "push/gap"],
  413: ["limit/mutations", "limit/payload"],
  429: ["limit/rate"],
};
/** Of mutations. */
export const REJECTION_CODES = [
  "mutation/unknown",
  "mutation/args",
  "mutation/app",
  "auth/denied",
  "constraint/unique",
  "constraint/restrict",
  "constraint/not-null",
  "data/invalid",
  "limit/row",
];
