// Owns: a rule that only the server knows, so that the browser shows the change first and then hears that it is refused.

/** Throws, in words for the person, when a title must not be kept. */
export function assertTitleAllowed(title: string): void {
  if (/passwor[dt]|passphrase/i.test(title)) {
    throw new Error("It looks like it holds a password, and todos are no safe place for one.");
  }
}
