// Owns: the shape of every answer that is not 200: `{ error, code, … }`.

export interface ErrorBody {
  readonly error: string;
  readonly code: string;
  /** With `schema/mismatch`. */
  readonly expected?: string;
  /** With `push/gap`. */
  readonly clientID?: string;
  readonly lastMutationID?: number;
}

/** Reads an error body; whatever does not fit is left out, since any proxy may answer in the server's place. */
export function parseErrorBody(json: unknown): ErrorBody {
  const fields = (typeof json === "object" && json !== null ? json : {}) as { readonly [key: string]: unknown };
  const text = (key: string) => (typeof fields[key] === "string" ? { [key]: fields[key] } : {});
  const { lastMutationID } = fields;
  return {
    error: "",
    code: "",
    ...text("error"),
    ...text("code"),
    ...text("expected"),
    ...text("clientID"),
    ...(Number.isSafeInteger(lastMutationID) ? { lastMutationID: lastMutationID as number } : {}),
  };
}
