// Owns: calendar days as people say them, and which day is today.
import { useSyncExternalStore } from "react";

const DAY_MS = 86_400_000;
const LOOK_MS = 60_000;

export interface DueText {
  readonly text: string;
  readonly isLate: boolean;
  readonly isSoon: boolean;
}

/** Today as YYYY-MM-DD where the person is; a page left open learns of the new day. */
export function useToday(): string {
  return useSyncExternalStore(watchDay, () => dayText(new Date()));
}

function watchDay(onChange: () => void): () => void {
  const timer = setInterval(onChange, LOOK_MS);
  return () => clearInterval(timer);
}

const dayText = (date: Date): string =>
  [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, "0")).join("-");

/** Both days are YYYY-MM-DD. */
export function describeDue(day: string, today: string): DueText {
  const due = startOf(day);
  // Rounded, because a day on which clocks change has 23 or 25 hours.
  const days = Math.round((due.getTime() - startOf(today).getTime()) / DAY_MS);
  return { text: textOf(due, days, today), isLate: days < 0, isSoon: days === 0 || days === 1 };
}

const startOf = (day: string): Date => new Date(`${day}T00:00:00`);

function textOf(due: Date, days: number, today: string): string {
  if (days === 0) return "Today";
  if (days === 1) return "Tomorrow";
  if (days === -1) return "Yesterday";
  if (days > 1 && days < 7) return due.toLocaleDateString("en-GB", { weekday: "long" });
  const year = String(due.getFullYear()) === today.slice(0, 4) ? {} : { year: "numeric" as const };
  return due.toLocaleDateString("en-GB", { day: "numeric", month: "short", ...year });
}
