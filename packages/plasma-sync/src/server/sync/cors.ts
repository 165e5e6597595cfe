// Owns: the headers that let pages of other origins call the server. Credentials are never allowed: clients send headers,
// not cookies, across origins.

/** Origins that may call: all of them, a list, or a rule. */
export type CorsOptions = true | { readonly origin: readonly string[] | ((origin: string) => boolean) };

/** How long a browser may remember a preflight: a day; browsers cap it further. */
const PREFLIGHT_SECONDS = 86_400;

/** Beside what pages of other origins may read anyway. */
const EXPOSED = "Retry-After, Content-Disposition, Content-Length, Content-Range, ETag";

/** Adds the headers for the request's origin where it is allowed. */
export function addCorsHeaders(headers: Headers, request: Request, cors: CorsOptions | undefined): void {
  const origin = request.headers.get("origin");
  if (cors === undefined) return;
  headers.append("vary", "Origin");
  if (origin === null || !isAllowedOrigin(origin, cors)) return;
  headers.set("access-control-allow-origin", origin);
  headers.set("access-control-expose-headers", EXPOSED);
}

/** The answer to a preflight. Browsers send it without credentials, so nobody is asked who it is. */
export function preflightResponse(request: Request): Response {
  const headers = new Headers({
    "access-control-allow-methods": "GET, HEAD, POST, PUT",
    "access-control-max-age": String(PREFLIGHT_SECONDS),
  });
  const asked = request.headers.get("access-control-request-headers");
  if (asked !== null) headers.set("access-control-allow-headers", asked);
  return new Response(null, { status: 204, headers });
}

export function isAllowedOrigin(origin: string, cors: CorsOptions): boolean {
  if (cors === true) return true;
  return typeof cors.origin === "function" ? cors.origin(origin) : cors.origin.includes(origin);
}
