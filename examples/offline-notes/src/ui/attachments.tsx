// Owns: the files of a note: pictures shown, others as chips; how far each is; taking one away, with undo.
import { usePlasma, usePlasmaFile } from "plasma-sync/react";
import { useSyncExternalStore } from "react";
import { onAdding, readAdding, type AddingFile } from "../adding-files.ts";
import type { Attachment } from "../mutators.ts";
import { offerUndo } from "../notices.ts";
import { Icon } from "./icons.tsx";

/** What a browser draws, and runs nothing of, in an <img>. */
const PICTURE = /^image\/(png|jpeg|gif|webp|avif|svg\+xml)$/;

export function Attachments({ noteId, files }: { noteId: string; files: readonly Attachment[] }) {
  const adding = useSyncExternalStore(onAdding, readAdding).filter(
    (file) => file.noteId === noteId && !files.some(({ id }) => id === file.id),
  );
  if (files.length + adding.length === 0) return null;
  const pictures = files.filter(({ file }) => PICTURE.test(file.mime));
  const others = files.filter(({ file }) => !PICTURE.test(file.mime));
  return (
    <section className="files" aria-label="Files">
      {pictures.map((attachment) => (
        <Picture key={attachment.id} attachment={attachment} />
      ))}
      <ul className="chips">
        {others.map((attachment) => (
          <Chip key={attachment.id} attachment={attachment} />
        ))}
        {adding.map((file) => (
          <Adding key={file.id} file={file} />
        ))}
      </ul>
    </section>
  );
}

function Picture({ attachment }: { attachment: Attachment }) {
  const { url, ...state } = usePlasmaFile(attachment.file);
  const name = nameOf(attachment);
  return (
    <figure className="picture" data-status={state.status}>
      {url === null ? (
        <div className="picture-gap">
          <State {...state} />
        </div>
      ) : (
        <img src={url} alt={name} />
      )}
      <figcaption>
        <span className="file-name">{name}</span>
        {url === null ? null : <State {...state} />}
        <Actions attachment={attachment} url={url} />
      </figcaption>
    </figure>
  );
}

function Chip({ attachment }: { attachment: Attachment }) {
  const { url, ...state } = usePlasmaFile(attachment.file);
  return (
    <li className="chip" data-status={state.status}>
      <Icon name="page" />
      <span className="file-name">{nameOf(attachment)}</span>
      <span className="file-size">{sizeOf(attachment.file.size)}</span>
      <State {...state} />
      <Actions attachment={attachment} url={url} />
    </li>
  );
}

function Adding({ file: { name, done } }: { file: AddingFile }) {
  return (
    <li className="chip" data-status="adding">
      <Icon name="page" />
      <span className="file-name">{name}</span>
      <progress value={done} aria-label={`Adding ${name}`} />
    </li>
  );
}

/** Nothing where all is well. */
function State({ status, progress }: Pick<ReturnType<typeof usePlasmaFile>, "status" | "progress">) {
  const done = progress === null ? undefined : progress.loadedBytes / Math.max(1, progress.totalBytes);
  if (status === "uploading") return <progress value={done} aria-label="Sending" />;
  if (status === "pending") return <progress value={done} aria-label="Loading" />;
  if (status === "missing") return <span className="file-state">Not on this device</span>;
  if (status === "error") return <span className="file-state">Could not be loaded yet</span>;
  return null;
}

function Actions({ attachment, url }: { attachment: Attachment; url: string | null }) {
  const client = usePlasma();
  const name = nameOf(attachment);
  function remove() {
    void client.mutate.detach({ id: attachment.id });
    offerUndo(`“${name}” is removed`, () => void client.mutate.reattach(attachment));
  }
  return (
    <span className="file-actions">
      {url === null ? null : (
        <a className="icon-button" href={url} download={name} aria-label={`Download ${name}`} title="Download">
          <Icon name="download" />
        </a>
      )}
      <button type="button" className="icon-button" aria-label={`Remove ${name}`} title="Remove" onClick={remove}>
        <Icon name="close" />
      </button>
    </span>
  );
}

const nameOf = ({ file }: Attachment): string => file.name ?? "Untitled file";

function sizeOf(bytes: number): string {
  if (bytes < 1000) return `${bytes} bytes`;
  const [value, unit] = bytes < 1_000_000 ? [bytes / 1000, "kB"] : [bytes / 1_000_000, "MB"];
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${unit}`;
}
