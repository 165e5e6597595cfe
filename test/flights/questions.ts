// Owns: questions that a person would ask of the flights, as selects.

import {
  alias,
  and,
  asc,
  avg,
  between,
  colRef,
  count,
  countDistinct,
  desc,
  eq,
  exists,
  gt,
  gte,
  inArray,
  isNotNull,
  isNull,
  like,
  lt,
  lte,
  max,
  min,
  ne,
  not,
  notExists,
  notInArray,
  or,
  select,
  sum,
  type SelectNode,
} from "../../packages/plasma-sync/src/core/index.ts";
import { airports, flights, states } from "./schema.ts";

const from = alias(airports, "from");
const to = alias(airports, "to");
const back = alias(flights, "back");
const day = (text: string): number => Date.parse(`${text}T00:00:00Z`);

/** A row to page from; it need not be there. */
const lateFlight = {
  id: "f",
  at: 0,
  delay: 100,
  distance: 0,
  originId: "SJC",
  destinationId: "LAX",
  cancelled: false,
};

const perOrigin = select({ airport: flights.originId, n: count(), late: avg(flights.delay) })
  .from(flights)
  .groupBy(flights.originId);
const departures = select().from(flights).where(eq(flights.originId, airports.id));

export const questions: { readonly [question: string]: SelectNode } = {
  "Which flights were latest?": select().from(flights).orderBy(desc(flights.delay)).limit(20).ast,
  "And the next page of them?": select().from(flights).orderBy(desc(flights.delay)).limit(20).offset(20).ast,
  "What left San José for Los Angeles, in order?": select()
    .from(flights)
    .where(and(eq(flights.originId, "SJC"), eq(flights.destinationId, "LAX")))
    .orderBy(flights.at).ast,
  "From where to where were the longest flights?": select({ from: from.city, to: to.city, miles: flights.distance })
    .from(flights)
    .innerJoin(from, eq(from.id, flights.originId))
    .innerJoin(to, eq(to.id, flights.destinationId))
    .orderBy(desc(flights.distance))
    .limit(25).ast,
  "How many flights left each airport, and how late were they?": select({
    airport: flights.originId,
    n: count(),
    worst: max(flights.delay),
    best: min(flights.delay),
    minutes: sum(flights.delay),
  })
    .from(flights)
    .groupBy(flights.originId)
    .orderBy(desc(count()))
    .limit(15).ast,
  "Which airports have many departures and are late on average?": select({
    airport: flights.originId,
    n: count(),
    late: avg(flights.delay),
  })
    .from(flights)
    .groupBy(flights.originId)
    .having(and(gt(count(), 10), gt(avg(flights.delay), 5)))
    .orderBy(desc(avg(flights.delay))).ast,
  "How many flights, miles and destinations are there in all?": select({
    n: count(),
    miles: sum(flights.distance),
    places: countDistinct(flights.destinationId),
  }).from(flights).ast,
  "Which states can one fly to?": select({ state: airports.stateId })
    .from(flights)
    .innerJoin(airports, eq(airports.id, flights.destinationId))
    .where(isNotNull(airports.stateId))
    .distinct()
    .orderBy(airports.stateId).ast,
  "How many airports with flights does each state have?": select({ state: states.id, n: countDistinct(airports.id) })
    .from(states)
    .leftJoin(airports, eq(airports.stateId, states.id))
    .where(or(isNull(airports.id), exists(departures)))
    .groupBy(states.id).ast,
  "Which airports in California does nobody leave?": select()
    .from(airports)
    .where(and(eq(airports.stateId, "CA"), notExists(departures)))
    .orderBy(airports.name)
    .limit(30).ast,
  "Which flights went to airports called international?": select()
    .from(flights)
    .where(
      inArray(
        flights.destinationId,
        select({ id: airports.id }).from(airports).where(like(airports.name, "%international%")),
      ),
    )
    .orderBy(asc(flights.at))
    .limit(40).ast,
  "Which flights left neither California nor Texas?": select()
    .from(flights)
    .where(
      notInArray(
        flights.originId,
        select({ id: airports.id })
          .from(airports)
          .where(inArray(airports.stateId, ["CA", "TX"])),
      ),
    )
    .orderBy(desc(flights.distance))
    .limit(40).ast,
  "Each large airport with its three latest departures?": select()
    .from(airports)
    .where(inArray(airports.id, ["ATL", "ORD", "DFW", "LAX", "PHX"]))
    .include({
      departures: select().from(flights).where(eq(flights.originId, airports.id)).orderBy(desc(flights.at)).limit(3),
      state: select().from(states).where(eq(states.id, airports.stateId)).one(),
    }).ast,
  "Each state with its airports and how many flights each has?": select()
    .from(states)
    .where(inArray(states.id, ["CA", "NV", "WA"]))
    .include({
      airports: select({ code: airports.id, name: airports.name })
        .from(airports)
        .where(and(eq(airports.stateId, states.id), exists(departures)))
        .orderBy(airports.name)
        .include({ flights: select({ n: count() }).from(flights).where(eq(flights.originId, airports.id)).one() }),
    }).ast,
  "Which airports are the busiest, among those with an average delay?": select()
    .fromSubquery(perOrigin, "totals")
    .where(gte(colRef("totals", "late"), 0))
    .orderBy(desc(colRef("totals", "n")))
    .limit(10).ast,
  "Which flights could turn round on the same day?": select({ out: flights.id, back: back.id, delay: back.delay })
    .from(flights)
    .innerJoin(back, and(eq(back.originId, flights.destinationId), eq(back.destinationId, flights.originId)))
    .where(and(eq(flights.originId, "PHX"), gt(back.at, flights.at)))
    .orderBy(flights.id, back.id)
    .limit(50).ast,
  "What flew on the second of January, on time?": select()
    .from(flights)
    .where(
      and(between(flights.at, day("2001-01-02"), day("2001-01-03")), lt(flights.delay, 1), ne(flights.originId, "ATL")),
    )
    .orderBy(flights.at).ast,
  "All airports of Nevada with their flights, if any?": select()
    .from(flights)
    .rightJoin(airports, eq(airports.id, flights.originId))
    .where(eq(airports.stateId, "NV"))
    .orderBy(airports.id, flights.at)
    .limit(60).ast,
  "States and airports, also those that lack the other?": select({ state: states.id, airport: airports.id })
    .from(states)
    .fullJoin(airports, and(eq(airports.stateId, states.id), gt(airports.latitude, 45)))
    .where(or(isNull(states.id), isNull(airports.id), gt(airports.latitude, 60)))
    .orderBy(airports.id, states.id)
    .limit(60).ast,
  "Which destinations does Las Vegas share with Reno?": select({ to: flights.destinationId, n: count() })
    .from(flights)
    .where(
      and(
        eq(flights.originId, "LAS"),
        inArray(flights.destinationId, select({ id: back.destinationId }).from(back).where(eq(back.originId, "RNO"))),
      ),
    )
    .groupBy(flights.destinationId)
    .orderBy(desc(count())).ast,
  "Which flights come behind the one that was a hundred minutes late?": select()
    .from(flights)
    .orderBy(desc(flights.delay))
    .after(lateFlight)
    .limit(15).ast,
  "Which was the shortest way out of Phoenix?": select({ to: airports.name, miles: flights.distance })
    .from(flights)
    .leftJoin(airports, eq(airports.id, flights.destinationId))
    .where(and(eq(flights.originId, "PHX"), not(eq(flights.cancelled, true))))
    .orderBy(flights.distance)
    .one().ast,
  "How far north and south do the airports of each state lie?": select({
    state: airports.stateId,
    north: max(airports.latitude),
    south: min(airports.latitude),
    cities: countDistinct(airports.city),
  })
    .from(airports)
    .groupBy(airports.stateId)
    .having(lte(min(airports.latitude), 30)).ast,
};
