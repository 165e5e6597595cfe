// Owns: data that no one here made up: flights, airports and states of the npm package vega-datasets, as related tables.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import {
  boolean,
  defineSchema,
  id,
  int,
  real,
  ref,
  table,
  text,
  timestamp,
  type Row,
} from "../../packages/plasma-sync/src/core/index.ts";

export const states = table("states", { id: id(), country: text() });
export const airports = table("airports", {
  id: id(),
  name: text(),
  city: text().nullable(),
  stateId: ref(() => states.id).nullable(),
  latitude: real(),
});
export const flights = table(
  "flights",
  {
    id: id(),
    at: timestamp(),
    delay: int(),
    distance: int(),
    originId: ref(() => airports.id),
    destinationId: ref(() => airports.id),
    cancelled: boolean().default(false),
  },
  { indexes: (t) => [[t.originId, t.at], [t.delay]] },
);
export const schema = defineSchema({ states, airports, flights });

export type Tables = ReadonlyMap<string, readonly Row[]>;

interface Flight {
  readonly date: string;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

// The package exports its code only; its data lie beside it.
const folder = `${dirname(createRequire(import.meta.url).resolve("vega-datasets"))}/../data`;
const read = (name: string): string => readFileSync(`${folder}/${name}`, "utf8");

/** The tables with so many of the package's 10,000 flights. With `onlyUsed` just the airports that those touch. */
export function loadTables(flightCount: number, { onlyUsed = false } = {}): Tables {
  const list = (JSON.parse(read("flights-10k.json")) as Flight[]).slice(0, flightCount);
  const flightRows = list.map(({ date, delay, distance, origin, destination }, i): Row => ({
    id: `f${String(i).padStart(5, "0")}`,
    at: Date.parse(`${date.replaceAll("/", "-").replace(" ", "T")}:00Z`),
    delay,
    distance,
    originId: origin,
    destinationId: destination,
    cancelled: false,
  }));
  const used = new Set(list.flatMap(({ origin, destination }) => [origin, destination]));
  const all = read("airports.csv").trim().split("\n").slice(1).map(parseLine);
  const shown = onlyUsed ? all.filter(([code = ""]) => used.has(code)) : all;
  const stateRows = new Map<string, Row>();
  const airportRows = shown.map(([code = "", name = "", city = "", state = "", country = "", latitude = ""]): Row => {
    const stateId = state === "" || state === "NA" ? null : state;
    if (stateId !== null) stateRows.set(stateId, { id: stateId, country });
    return { id: code, name, city: city === "" || city === "NA" ? null : city, stateId, latitude: Number(latitude) };
  });
  return new Map([
    ["states", [...stateRows.values()]],
    ["airports", airportRows],
    ["flights", flightRows],
  ]);
}

/** A line of CSV; names may stand in quotes and hold commas. */
const parseLine = (line: string): string[] =>
  [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, field = ""]) =>
    field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field,
  );
