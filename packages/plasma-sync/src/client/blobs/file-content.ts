// Owns: what an app sees of a file: its bytes, and where they are.

import type { PlasmaError } from "../../core/error.ts";

/** Bytes on their way, up or down. */
export interface TransferProgress {
  readonly loadedBytes: number;
  readonly totalBytes: number;
}

export interface ReadOptions {
  /** Gives the download up; the promise rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Told how many bytes of a download have come. */
  readonly onProgress?: (progress: TransferProgress) => void;
}

/** What the uploading tab tells the others of a file. */
export interface UploadNews {
  readonly hash: string;
  /** Null: not on its way any more. */
  readonly progress: TransferProgress | null;
  /** The server has it. */
  readonly uploaded: boolean;
}

/**
 * What `readFile` found. The bytes are a Blob of the ref's type, which takes no memory until it is read:
 * `URL.createObjectURL(bytes)`, `await bytes.arrayBuffer()`, `bytes.stream()`.
 */
export type FileContent =
  | {
      /**
       * "local": only here, not on its way yet. "uploading": on its way to the server. "ready": the server has it too, or the
       * bytes ride in the ref.
       */
      readonly status: "local" | "uploading" | "ready";
      readonly bytes: Blob;
      readonly mime: string;
      readonly name?: string;
    }
  /** Not on this device, and the server shows it to this user in no row; or the client is offline for good. */
  | { readonly status: "missing" }
  /** It did not come this time. */
  | { readonly status: "error"; readonly error: PlasmaError<"client/download"> };

/** What `watchFile` tells, each time something has changed. */
export type FileState =
  | (Exclude<FileContent, { readonly status: "missing" | "error" }> & {
      /** Of the upload. */
      readonly progress: TransferProgress | null;
    })
  /** Looked for, or on its way here. */
  | { readonly status: "pending"; readonly progress: TransferProgress | null }
  | { readonly status: "missing" }
  /** It is asked for again in a while. */
  | { readonly status: "error"; readonly error: PlasmaError<"client/download"> };
