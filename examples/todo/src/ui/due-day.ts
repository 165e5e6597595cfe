// Owns: calendar days as people say them.

const DAY_MS = 86_400_000;

export interface DueText {
  readonly text: string;
  readonly isLate: boolean;
  readonly isSoon: boolean;
}

/** `day` is YYYY-MM-DD; `now` says what today is. */
export function describeDue(day: string, now: Date): DueText {
  const due = new Date(`${day}T00:00:00`);
  const today = new Date(now.getFullYear(), now.getMonth(), now.getDate());
  // Rounded, because a day on which clocks change has 23 or 25 hours.
  const days = Math.round((due.getTime() - today.getTime()) / DAY_MS);
  return { text: textOf(due, days, now), isLate: days < 0, isSoon: days === 0 || days === 1 };
}

function textOf(due: Date, days: number, now: Date): string {
  if (days === 0) return "Today";
  if (days === 1) return "Tomorrow";
  if (days === -1) return "Yesterday";
  if (days > 1 && days < 7) return due.toLocaleDateString("en-GB", { weekday: "long" });
  const year = due.getFullYear() === now.getFullYear() ? {} : { year: "numeric" as const };
  return due.toLocaleDateString("en-GB", { day: "numeric", month: "short", ...year });
}
