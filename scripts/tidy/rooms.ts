// Owns: the map of the house (DESIGN §1) as data: who may import whom, and which room each platform word lives in.

/** Room → the rooms that it may import from. */
export const ROOM_IMPORTS: Readonly<Record<string, readonly string[]>> = {
  core: ["core"],
  client: ["client", "core"],
  server: ["server", "core"],
  react: ["react", "client", "core"],
  devtools: ["devtools", "client", "core"],
  testing: ["testing", "client", "server", "core"],
};

/** Package → the places (path prefixes below src/) that may import it. Others are not dependencies of the library. */
export const PACKAGE_PLACES: Readonly<Record<string, readonly string[]>> = {
  "@noble/ciphers": ["server/"],
  "@noble/hashes": ["server/", "client/blobs/", "testing/"],
  "@remix-run/node-fetch-server": ["server/node/"],
  "@standard-schema/spec": ["core/"],
  react: ["react/", "devtools/"],
  ws: ["server/node/"],
  "cloudflare:workers": ["server/cloudflare/"],
};

/** How a word shows: read at all, called, or constructed. */
export type WordUse = "names" | "calls" | "news";

export interface WordRule {
  readonly word: RegExp;
  readonly use: WordUse;
  /** Path prefixes below src/. */
  readonly places: readonly string[];
  readonly instead: string;
}

const DATABASE_PLACES = ["server/cloudflare/", "server/database/", "server/blob/"];
const NODE_PLACES = ["server/node/"];
const ENV_PLACE = ["core/lib/env.ts"];
const USE_ENV = "take it from Env (core/lib/env.ts)";

export const WORD_RULES: readonly WordRule[] = [
  { word: /^(indexedDB|IDBKeyRange)$/, use: "names", places: ["client/store/"], instead: "go through Store" },
  { word: /^fetch$/, use: "calls", places: ["client/transport/"], instead: "go through Transport" },
  { word: /^WebSocket(\(\))?$/, use: "news", places: ["client/transport/"], instead: "go through Transport" },
  { word: /^WebSocketPair$/, use: "names", places: ["server/cloudflare/"], instead: "keep sockets in the shell" },
  { word: /^(D1|R2)[A-Z]\w*$/, use: "names", places: DATABASE_PLACES, instead: "go through SqlExecutor or BlobStore" },
  { word: /^DurableObject\w*$/, use: "names", places: DATABASE_PLACES, instead: "keep Durable Objects in the shell" },
  { word: /^(BroadcastChannel|sessionStorage)$/, use: "names", places: ["client/tabs/"], instead: "ask client/tabs" },
  { word: /^navigator\.locks\b/, use: "names", places: ["client/tabs/"], instead: "ask client/tabs" },
  { word: /^Buffer$/, use: "names", places: NODE_PLACES, instead: "use what every platform has" },
  // `process.env.NODE_ENV`, which bundlers replace.
  {
    word: /^process$/,
    use: "names",
    places: [...NODE_PLACES, "core/lib/development.ts"],
    instead: "use what every platform has",
  },
  { word: /^(Date\.now|performance\.now|Math\.random)$/, use: "names", places: ENV_PLACE, instead: USE_ENV },
  { word: /^crypto\.(getRandomValues|randomUUID)$/, use: "names", places: ENV_PLACE, instead: USE_ENV },
  { word: /^(setTimeout|setInterval|setImmediate)$/, use: "names", places: ENV_PLACE, instead: USE_ENV },
  // `new Date(ms)` only converts; without arguments it reads the clock.
  { word: /^Date\(\)$/, use: "news", places: ENV_PLACE, instead: USE_ENV },
];

/** `node:` modules belong to server/node and to the files named for Node. */
export function mayImportNode(placeInSrc: string): boolean {
  return placeInSrc.startsWith("server/node/") || /(^|\/)([a-z0-9-]+-)?node(-[a-z0-9-]+)?\.ts$/.test(placeInSrc);
}
