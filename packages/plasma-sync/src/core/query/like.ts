// Owns: `like`: ASCII case folded, `%` any run, `_` one code point, `\` takes the next character as it is.

type Token = { readonly kind: "run" } | { readonly kind: "one" } | { readonly kind: "char"; readonly char: string };

const foldASCII = (char: string): string => (char >= "A" && char <= "Z" ? char.toLowerCase() : char);

function parsePattern(pattern: string): Token[] {
  const tokens: Token[] = [];
  const chars = Array.from(pattern);
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] as string;
    if (char === "%") tokens.push({ kind: "run" });
    else if (char === "_") tokens.push({ kind: "one" });
    else
      tokens.push({
        kind: "char",
        char: foldASCII(char === "\\" && i + 1 < chars.length ? (chars[++i] as string) : char),
      });
  }
  return tokens;
}

/** Makes a matcher of the pattern. It backs up only to the last `%`, so it takes at most text × pattern steps. */
export function compileLike(pattern: string): (text: string) => boolean {
  const tokens = parsePattern(pattern);
  return (text) => matches(Array.from(text, foldASCII), tokens);
}

function matches(chars: readonly string[], tokens: readonly Token[]): boolean {
  let at = 0;
  let token = 0;
  let runToken = -1;
  let runAt = 0;
  while (at < chars.length) {
    const current = tokens[token];
    if (current?.kind === "run") {
      runToken = token++;
      runAt = at;
    } else if (current !== undefined && (current.kind === "one" || current.char === chars[at])) {
      at += 1;
      token += 1;
    } else if (runToken >= 0) {
      token = runToken + 1;
      at = ++runAt;
    } else {
      return false;
    }
  }
  while (tokens[token]?.kind === "run") token += 1;
  return token === tokens.length;
}
