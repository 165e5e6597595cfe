// Owns: MutationRejectedError, how a refusal by the server reaches the app.

/** The server refused a mutation: it has left the view. `name` and `args` are those of the call. */
export class MutationRejectedError extends Error {
  /** Such as "auth/denied" or "mutation/app". */
  readonly code: string;
  override readonly name: string;
  readonly args: unknown;

  constructor(rejection: { readonly code: string; readonly message: string }, name: string, args: unknown) {
    super(rejection.message);
    this.code = rejection.code;
    this.name = name;
    this.args = args;
  }
}
