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
  const infix = infixOf(tokens);
  return infix === null ? (text) => matches(Array.from(text, foldASCII), tokens) : (text) => infix.test(text);
}

/** What finds a text between two runs, the usual search, several times as fast; null for other patterns. */
function infixOf(tokens: readonly Token[]): RegExp | null {
  const chars = tokens.flatMap((token) => (token.kind === "char" ? [token.char] : []));
  if (chars.length !== tokens.length - 2 || tokens[0]?.kind !== "run" || tokens.at(-1)?.kind !== "run") return null;
  const source = chars.map((char) =>
    char >= "a" && char <= "z" ? `[${char}${char.toUpperCase()}]` : `\\u{${char.codePointAt(0)?.toString(16)}}`,
  );
  return new RegExp(source.join(""), "u");
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
