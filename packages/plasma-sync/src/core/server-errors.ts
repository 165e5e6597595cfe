// Owns: the table of the errors that only the server makes, beside that of error.ts, so that pages do not load it.

/** Code → message, as in error.ts. */
export const serverErrors = {
  "auth/unauthorized": (d: { reason: string }) => d.reason,
  "request/invalid": (d: { why: string }) => d.why,
  "auth/group-mismatch": () => `The clientGroupID is not the one of this login.`,
  "auth/client-mismatch": (d: { clientID: string }) => `The client "${d.clientID}" belongs to another replica or user.`,
  "auth/room": (d: { room: string }) => `You may not listen to the room "${d.room}".`,
  "auth/origin": (d: { origin: string }) =>
    `A page of ${d.origin} asked for a socket, which is another origin than the server's. Let it in with the option cors.`,
  "pull/cookie": () => `The cookie is malformed. Pull without one.`,
  "request/not-found": (d: { path: string }) => `There is nothing at ${d.path}.`,
  "request/method": (d: { method: string; allowed: string }) => `${d.method} is not allowed here; use ${d.allowed}.`,
  "protocol/mismatch": (d: { expected: number }) => `The server speaks protocol version ${d.expected}. Reload the app.`,
  "schema/mismatch": (d: { expected: string }) => `The server has schema version "${d.expected}". Reload the app.`,
  "push/gap": (d: { clientID: string; lastMutationID: number }) =>
    `The next mutation of client "${d.clientID}" is ${d.lastMutationID + 1}.`,
  "limit/mutations": (d: { count: number; countMax: number }) =>
    `A push holds ${d.count} mutations; at most ${d.countMax} are accepted.`,
  "limit/payload": (d: { sizeBytesMax: number }) =>
    `The request is larger than ${d.sizeBytesMax} bytes. Send fewer mutations at once.`,
  "limit/rate": (_d: { retryAfterSeconds: number }) => `Too many requests. Try again later.`,
  "blob/invalid": (d: { why: string }) => d.why,
  "blob/length": () => `An upload of this size says how long it is. Send Content-Length.`,
  "blob/too-large": (d: { sizeBytesMax: number }) =>
    `The file is too large: at most ${d.sizeBytesMax} bytes are taken.`,
  "blob/type": (d: { mime: string }) => `Files of type ${d.mime} are not taken.`,
  "blob/range": (d: { sizeBytes: number }) => `The file has ${d.sizeBytes} bytes; the range lies outside of it.`,
  "blob/not-found": () => `There is no such file, or you may not read it.`,
  "blob/upload-failed": () => `The file could not be stored now. Send it again.`,
  "blob/hash-mismatch": () =>
    `The bytes do not have the hash that they were sent under. Nothing was stored; send them again.`,
  "blob/interrupted": () =>
    `The bytes of the file did not all arrive, or too many did. Nothing was stored; send them again.`,
  "server/retry": () => `The server could not answer now. Nothing was changed; try again.`,
  "server/option": (d: { option: string; why: string; of?: string }) =>
    `${d.of ?? "createSyncHandler"}: "${d.option}" ${d.why}`,
  "snapshot/compacted": (d: { version: number; compactedTo: number }) =>
    `The change log was compacted up to version ${d.compactedTo}, and the cookie is of version ${d.version}. Use a younger cookie.`,
  "snapshot/history": (d: { version: number }) =>
    `The cookie's version ${d.version} is not of this change log. Use a cookie of this database, younger than its last restored backup.`,
  "migration/refused": (d: { refusals: readonly string[] }) =>
    `The database does not fit the schema: ${d.refusals.join("; ")}. runMigrations adds what is missing and nullable or has a default; change the rest by hand (guide: migrations).`,
} as const satisfies Record<string, (data: never) => string>;
