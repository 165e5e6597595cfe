// Owns: a feature with files: pictures that their owner hangs, shows, hides, clears and takes down, copies of pictures that one
// may see, and attempts at pictures that one may not. Small ones ride in the row.

import { sha256 } from "@noble/hashes/sha2.js";
import { and, eq, isNotNull, or } from "../../packages/plasma-sync/src/core/query/expressions.ts";
import { boolean, id, text } from "../../packages/plasma-sync/src/core/schema/column.ts";
import { file } from "../../packages/plasma-sync/src/core/schema/file-column.ts";
import { table } from "../../packages/plasma-sync/src/core/schema/table.ts";
import type { FileRef } from "../../packages/plasma-sync/src/core/schema/value.ts";
import type { SimAnswer, SimRequest } from "../../packages/plasma-sync/src/testing/sim-network.ts";
import type { SimRandom } from "../../packages/plasma-sync/src/testing/sim-random.ts";
import { secretOf } from "./features-private.ts";
import { USERS, type Ctx, type MakeFeature } from "./feature.ts";

export const PICTURE_MIME = "text/plain";
const INLINE_BYTES = 48;
const SIZE_MAX = 3000;
/** Begins what no proxy lets through. */
export const UNWANTED = "UNWANTED";

/** A file of a call, as plain data. The run makes a Blob of it. */
export interface FileDraft {
  readonly text: string;
}

export const hashOf = (contents: string): string =>
  [...sha256(new TextEncoder().encode(contents))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

const refOf = (contents: string): FileRef => ({ hash: hashOf(contents), size: contents.length, mime: PICTURE_MIME });

/** What only its owner ever hangs; several of the owner's calls hang the same. */
const secretPicture = (user: string, n: number): string => `${secretOf(user)}picture ${n}.`.repeat(8);

const openPicture = (random: SimRandom): string => {
  const word = `open picture ${random.int(1, 5)}. `;
  return word.repeat(random.pick([1, 2, 20, 100]));
};

export const pictures: MakeFeature = () => {
  const pictures = table(
    "pictures",
    {
      id: id(),
      ownerId: text(),
      isOpen: boolean(),
      image: file({ maxSize: SIZE_MAX, mimeAllowList: ["text/*"], inlineThreshold: INLINE_BYTES }).nullable(),
    },
    { auth: { read: (ctx: Ctx, row) => row.isOpen || row.ownerId === ctx.userId } },
  );
  const draw = (random: SimRandom) => ({ n: random.int(0, 9) });
  const mayShow = (ctx: Ctx) => or(eq(pictures.isOpen, true), eq(pictures.ownerId, ctx.userId));
  return {
    tables: { pictures },
    mutators: {
      hang: {
        weight: 4,
        mayThrow: false,
        draw: (random) => ({ file: { text: openPicture(random) }, shown: random.chance(0.7) }),
        run: async ({ db, args, ctx }) => {
          const { token, file: image, shown } = args as { token: string; file: FileRef; shown: boolean };
          await db.insert(pictures).values({ id: `pic ${token}`, ownerId: ctx.userId, isOpen: shown, image });
        },
      },
      hangSecret: {
        weight: 2,
        mayThrow: false,
        draw: (random) => ({ secret: random.int(1, 3) }),
        run: async ({ db, args, ctx }) => {
          const { token, file: image } = args as { token: string; file: FileRef };
          const row = { id: `${secretOf(ctx.userId)}${token}`, ownerId: ctx.userId, isOpen: false, image };
          await db.insert(pictures).values(row);
        },
      },
      hangUnwanted: {
        weight: 1,
        mayThrow: false,
        draw: (random) => ({ file: { text: `${UNWANTED} ${random.int(1, 3)}. `.repeat(20) } }),
        run: async ({ db, args, ctx }) => {
          const { token, file: image } = args as { token: string; file: FileRef };
          await db.insert(pictures).values({ id: `unwanted ${token}`, ownerId: ctx.userId, isOpen: true, image });
        },
      },
      copyPicture: {
        weight: 2,
        mayThrow: true,
        draw,
        run: async ({ db, args, ctx }) => {
          const { token } = args as { token: string };
          const [first] = await db
            .select()
            .from(pictures)
            .where(and(eq(pictures.isOpen, true), isNotNull(pictures.image)))
            .orderBy(pictures.id)
            .limit(1);
          if (first === undefined) throw new Error("No picture.");
          const row = { id: `copy ${token}`, ownerId: ctx.userId, isOpen: true, image: first.image };
          await db.insert(pictures).values(row);
        },
      },
      stealPicture: {
        weight: 1,
        mayThrow: true,
        draw: (random) => {
          const victim = random.pick(USERS);
          return { victim, ref: refOf(secretPicture(victim, random.int(1, 3))) };
        },
        run: async ({ db, args, ctx }) => {
          const { token, victim, ref } = args as { token: string; victim: string; ref: FileRef };
          if (victim === ctx.userId) throw new Error("One's own is no theft.");
          await db.insert(pictures).values({ id: `stolen ${token}`, ownerId: ctx.userId, isOpen: true, image: ref });
        },
      },
      turnPicture: {
        weight: 2,
        mayThrow: false,
        draw,
        run: async ({ db, ctx }) => {
          const [last] = await db
            .select()
            .from(pictures)
            .where(and(eq(pictures.ownerId, ctx.userId), isNotNull(pictures.image), eq(pictures.isOpen, true)))
            .orderBy(pictures.id)
            .limit(1);
          if (last !== undefined) await db.update(pictures).set({ isOpen: false }).where(eq(pictures.id, last.id));
        },
      },
      clearPicture: {
        weight: 2,
        mayThrow: false,
        draw,
        run: async ({ db, ctx }) => {
          const [first] = await db
            .select()
            .from(pictures)
            .where(and(mayShow(ctx), eq(pictures.ownerId, ctx.userId), isNotNull(pictures.image)))
            .orderBy(pictures.id)
            .limit(1);
          if (first !== undefined) await db.update(pictures).set({ image: null }).where(eq(pictures.id, first.id));
        },
      },
      takeDown: {
        weight: 1,
        mayThrow: false,
        draw,
        run: async ({ db, ctx }) => {
          const [first] = await db
            .select()
            .from(pictures)
            .where(eq(pictures.ownerId, ctx.userId))
            .orderBy(pictures.id)
            .limit(1);
          if (first !== undefined) await db.delete(pictures).where(eq(pictures.id, first.id));
        },
      },
    },
    sees: { pictures: (who, row) => row["isOpen"] === true || row["ownerId"] === who.userId },
    check: (rows) => {
      const large = rows("pictures").find(({ image }) => ((image as FileRef | null)?.size ?? 0) > SIZE_MAX);
      return large === undefined ? null : `the picture ${String(large["id"])} is larger than it may be`;
    },
  };
};

/** A proxy that lets some uploads not through, as those do that look for viruses, or bound sizes. */
export function refusesUnwanted({ method, bytes }: SimRequest): SimAnswer | null {
  if (method !== "PUT" || !new TextDecoder().decode(bytes).startsWith(UNWANTED)) return null;
  return { status: 413, headers: [["content-type", "text/html"]], body: "<h1>Too large</h1>" };
}

/** The args with files in them, as a person's page gives them. */
export function withFiles(args: { readonly [name: string]: unknown }, user: string): { [name: string]: unknown } {
  const { file: draft, secret, ...rest } = args;
  if (secret !== undefined) return { ...rest, file: blobOf(secretPicture(user, Number(secret))) };
  return draft === undefined ? rest : { ...rest, file: blobOf((draft as FileDraft).text) };
}

const blobOf = (contents: string): Blob => new Blob([contents], { type: PICTURE_MIME });
