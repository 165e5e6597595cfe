// Owns: the tables for real flights: states have airports, airports have departures and arrivals.

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
