// Owns: questions about text: whether it is well formed, how many bytes it takes.

/** Whether the text can be stored everywhere: no lone surrogate, no U+0000. */
export const isStorableText = (text: string): boolean => !text.includes("\0") && text.isWellFormed();

/** Bytes of the text as UTF-8, without encoding it. */
export function utf8SizeBytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    // A surrogate pair takes four bytes: two for each of its units.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
  }
  return bytes;
}
