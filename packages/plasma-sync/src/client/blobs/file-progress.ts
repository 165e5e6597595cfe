// Owns: what apps are told of a file under way.

/** A step of a file: first on the device, then to the server. */
export interface FileProgress {
  /** "hashing": being read, hashed and stored on this device. "uploading": on its way to the server. */
  readonly phase: "hashing" | "uploading";
  /** The file's hash; null while it is being made. The last event of "hashing" has it. */
  readonly hash: string | null;
  /** The very object that `mutate` was given, by which an app finds its own; only while hashing, in the tab that called. */
  readonly file?: Blob;
  readonly loadedBytes: number;
  readonly totalBytes: number;
}

export type OnFileProgress = (progress: FileProgress) => void;
