// Owns: data that no one here made up, as rows: the flights and airports of the npm package vega-datasets. States are those
// that the airports name; some airports lack one, or a city.

// By path: the package exports nothing but its code.
import airportLines from "../../node_modules/vega-datasets/data/airports.csv?raw";
import flightList from "../../node_modules/vega-datasets/data/flights-10k.json?raw";
import type { Row } from "../../packages/plasma-sync/src/core/index.ts";

/** Rows by id, by table. */
export type Tables = ReadonlyMap<string, Map<string, Row>>;

interface Flight {
  readonly date: string;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

export const FLIGHTS = 10_000;

/** The tables with so many of the package's flights. With `onlyUsed` just the airports that those touch. */
export function loadTables(flightCount: number, { onlyUsed = false } = {}): Tables {
  const list = (JSON.parse(flightList) as Flight[]).slice(0, flightCount);
  const used = new Set(list.flatMap(({ origin, destination }) => [origin, destination]));
  const all = airportLines.trim().split("\n").slice(1).map(parseLine);
  const airports = (onlyUsed ? all.filter(([code = ""]) => used.has(code)) : all).map(airportRow);
  const stateRows = all
    .map(([, , , state = "", country = ""]): Row => ({ id: state, country }))
    .filter(({ id }) => airports.some(({ stateId }) => stateId === id));
  return new Map([
    ["states", byID(stateRows)],
    ["airports", byID(airports)],
    ["flights", byID(list.map(flightRow))],
  ]);
}

const byID = (rows: readonly Row[]): Map<string, Row> => new Map(rows.map((row) => [row["id"] as string, row]));

const flightRow = ({ date, delay, distance, origin, destination }: Flight, i: number): Row => ({
  id: `f${String(i).padStart(5, "0")}`,
  at: Date.parse(`${date.replaceAll("/", "-").replace(" ", "T")}:00Z`),
  delay,
  distance,
  originId: origin,
  destinationId: destination,
  cancelled: false,
});

const airportRow = ([code = "", name = "", city = "", state = "", , latitude = ""]: readonly string[]): Row => ({
  id: code,
  name,
  city: unlessMissing(city),
  stateId: unlessMissing(state),
  latitude: Number(latitude),
});

const unlessMissing = (field: string): string | null => (field === "" || field === "NA" ? null : field);

/** A line of CSV; names may stand in quotes and hold commas. */
const parseLine = (line: string): string[] =>
  [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].map(([, field = ""]) =>
    field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field,
  );
