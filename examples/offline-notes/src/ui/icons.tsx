// Owns: the icons, drawn on a 24 by 24 grid in the colour of the text.

const PATHS = {
  plus: "M12 5v14 M5 12h14",
  pin: "M9 4h6 M10 4v5.500l-3 4.500h10l-3-4.500V4 M12 14v6",
  trash: "M5 7h14 M10 7V4.5h4V7 M7 7l1 12.5h8L17 7 M10.5 11v5 M13.5 11v5",
  close: "M6.5 6.5l11 11 M17.5 6.5l-11 11",
  back: "M14.5 5l-7 7 7 7",
  clip: "M19 11.500l-7 7a4.200 4.200 0 0 1-6-6l7.500-7.500a2.900 2.900 0 0 1 4.100 4.100l-7.400 7.400a1.400 1.400 0 0 1-2-2l6.600-6.600",
  download: "M12 4.500v10.500 M7.500 10.500l4.500 4.500 4.500-4.500 M5 19.500h14",
  page: "M7 3.500h7l4 4v13H7z M14 3.500v4h4",
  note: "M6 6h12 M6 12h12 M6 18h7",
  search: "M10.5 16.500a6 6 0 1 0 0-12 6 6 0 0 0 0 12z M15 15l5 5",
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }) {
  return (
    <svg className="icon" viewBox="0 0 24 24" aria-hidden="true">
      <path d={PATHS[name]} />
    </svg>
  );
}
