// Owns: the one place that asks whether this is a development build.

declare const process: { readonly env: { readonly NODE_ENV?: string } };

function readMode(): string | undefined {
  try {
    // Bundlers put the mode in the place of exactly these words, so there must be no test of `process` before them.
    return process.env.NODE_ENV;
  } catch {
    // A browser without a bundler has no `process`: nobody is developing there.
    return "production";
  }
}

/** False in production builds. */
export const isDevelopment: boolean = readMode() !== "production";
