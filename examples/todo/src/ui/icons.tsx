// Owns: the icons, drawn on a 24 by 24 grid in the colour of the text.

const PATHS = {
  edit: "M4 20l1-4.5L16.5 4a2 2 0 0 1 2.8 0l.7.7a2 2 0 0 1 0 2.8L8.5 19z M14.5 6.5l3 3",
  trash: "M5 7h14 M10 7V4.5h4V7 M7 7l1 12.5h8L17 7 M10.5 11v5 M13.5 11v5",
  close: "M6.5 6.5l11 11 M17.5 6.5l-11 11",
  back: "M14.5 5l-7 7 7 7",
  help: "M8.5 9a3.5 3.5 0 1 1 5 3.2c-1 .5-1.5 1.2-1.5 2.3 M12 18.2v.3",
  people:
    "M9.5 11.5a3.3 3.3 0 1 0 0-6.6 3.3 3.3 0 0 0 0 6.6z M3.5 19c.3-3 2.8-4.8 6-4.8s5.7 1.8 6 4.8 M15.5 5.3a3.2 3.2 0 0 1 0 6 M17.7 14.7c1.7.7 2.7 2.200 2.900 4.300",
  check: "M5.5 12.5l4.5 4.5 8.5-10",
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
