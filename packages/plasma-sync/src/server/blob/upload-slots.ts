// Owns: how many uploads run at once in this process, in all and of one group.

import * as limits from "../../core/limits.ts";
import { serverError } from "../server-error.ts";

export class UploadSlots {
  readonly #byGroup = new Map<string, number>();
  #all = 0;

  /** Runs the upload. Throws `limit/rate` when too many are under way. */
  async use<T>(clientGroupID: string, upload: () => Promise<T>): Promise<T> {
    const ofGroup = this.#byGroup.get(clientGroupID) ?? 0;
    if (this.#all >= limits.blobUploadsMax || ofGroup >= limits.blobUploadsPerGroupMax)
      throw serverError("limit/rate", { retryAfterSeconds: limits.blobUploadRetrySeconds });
    this.#all += 1;
    this.#byGroup.set(clientGroupID, ofGroup + 1);
    try {
      return await upload();
    } finally {
      this.#all -= 1;
      const left = (this.#byGroup.get(clientGroupID) ?? 1) - 1;
      if (left === 0) this.#byGroup.delete(clientGroupID);
      else this.#byGroup.set(clientGroupID, left);
    }
  }
}
