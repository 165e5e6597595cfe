// Owns: the one place that asks whether this is a development build.

declare const process: { readonly env: { readonly NODE_ENV?: string } } | undefined;

/** False in production builds: bundlers replace `process.env.NODE_ENV`. */
export const isDevelopment: boolean = typeof process === "undefined" ? false : process.env.NODE_ENV !== "production";
