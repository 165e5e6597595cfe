// Owns: files that are dropped on the note or pasted into it.
import { useRef, useState, type ClipboardEvent, type DragEvent } from "react";

export interface FileDrop {
  /** Files hang over the note. */
  readonly isOver: boolean;
  readonly handlers: {
    readonly onDragEnter: (event: DragEvent) => void;
    readonly onDragOver: (event: DragEvent) => void;
    readonly onDragLeave: (event: DragEvent) => void;
    readonly onDrop: (event: DragEvent) => void;
    readonly onPaste: (event: ClipboardEvent) => void;
  };
}

export function useFileDrop(onFiles: (files: readonly File[]) => void): FileDrop {
  const [isOver, setOver] = useState(false);
  /** Every element inside says that it was entered and left. */
  const depth = useRef(0);
  const holdsFiles = (event: DragEvent) => event.dataTransfer.types.includes("Files");
  const take = (event: DragEvent | ClipboardEvent, files: FileList) => {
    // Text that is dropped or pasted goes where it goes.
    if (files.length === 0) return;
    event.preventDefault();
    onFiles([...files]);
  };
  return {
    isOver,
    handlers: {
      onDragEnter: (event) => {
        if (!holdsFiles(event)) return;
        depth.current += 1;
        setOver(true);
      },
      onDragOver: (event) => {
        if (holdsFiles(event)) event.preventDefault();
      },
      onDragLeave: (event) => {
        if (!holdsFiles(event)) return;
        depth.current = Math.max(0, depth.current - 1);
        setOver(depth.current > 0);
      },
      onDrop: (event) => {
        depth.current = 0;
        setOver(false);
        take(event, event.dataTransfer.files);
      },
      onPaste: (event) => take(event, event.clipboardData.files),
    },
  };
}
