// Owns: what happens to flights, airports and states, one commit after the other, drawn from a seed.

import type { RowChange } from "../../packages/plasma-sync/src/client/ivm/source.ts";
import type { Row } from "../../packages/plasma-sync/src/core/index.ts";
import { Draw } from "../query/draw.ts";
import type { Tables } from "./dataset.ts";

/** Airports that the questions name: what happens there shows. */
const HUBS = ["SJC", "LAX", "PHX", "LAS", "RNO", "ATL", "ORD", "DFW"];
const NAMES = ["International", "Regional", "Field", "Hall of Ääs", "🛫 Park"];

/** Makes `count` commits of changes, each applied to `tables` before the next is drawn. */
export function* drawEdits(tables: Tables, seed: number, count: number): Generator<readonly RowChange[]> {
  const draw = new Draw(seed);
  for (let edit = 0; edit < count; edit++) {
    const changes = new Map<string, RowChange>();
    for (const [table, id, patch] of draw.list(1 + draw.below(3), () => drawPatches(draw, tables, edit)).flat()) {
      const before = tables.get(table)?.get(id) ?? null;
      const after = patch === null ? null : ({ ...before, ...patch, id } as Row);
      // One change of a row in one commit.
      if ((before ?? after) !== null && !changes.has(`${table} ${id}`))
        changes.set(`${table} ${id}`, { table, id, before, after });
    }
    const list = [...changes.values()];
    for (const { table, id, after } of list) {
      if (after === null) tables.get(table)?.delete(id);
      else tables.get(table)?.set(id, after);
    }
    yield list;
  }
}

type Patch = readonly [table: string, id: string, patch: Partial<Row> | null];

function drawPatches(draw: Draw, tables: Tables, edit: number): Patch[] {
  const hub = draw.pick(HUBS);
  const idOf = (table: string, keeps: (row: Row) => boolean = () => true): string =>
    draw.pick([...(tables.get(table)?.values() ?? [])].filter(keeps))?.["id"] as string;
  const departures = [...(tables.get("flights")?.values() ?? [])].filter(({ originId }) => originId === hub);
  const anyFlight = departures.length === 0 ? idOf("flights") : (draw.pick(departures)["id"] as string);
  switch (draw.below(9)) {
    case 0:
      return [["flights", anyFlight, { delay: draw.below(2000) - 60 }]];
    case 1:
      return [["flights", anyFlight, { cancelled: true }]];
    case 2:
      return [["flights", anyFlight, null]];
    case 3:
      return [["flights", anyFlight, { destinationId: draw.pick(HUBS) }]];
    case 4:
      return [["flights", `new ${edit} ${draw.below(10)}`, drawFlight(draw, hub)]];
    case 5:
      return [["airports", hub, { name: `${hub} ${draw.pick(NAMES)}`, latitude: draw.below(90) }]];
    case 6:
      return [["airports", idOf("airports"), { stateId: draw.once(3) ? null : idOf("states"), city: null }]];
    // Closed, with flights that go there still.
    case 7:
      return [draw.once(6) ? ["states", idOf("states"), null] : ["airports", idOf("airports"), null]];
    // Fog: everything that leaves there is late, in one commit.
    default:
      return departures.map((row) => ["flights", row["id"] as string, { delay: (row["delay"] as number) + 30 }]);
  }
}

const drawFlight = (draw: Draw, originId: string): Partial<Row> => ({
  at: Date.UTC(2001, 0, 1 + draw.below(3), draw.below(24)),
  delay: draw.below(400) - 40,
  distance: draw.below(5000),
  originId,
  destinationId: draw.pick(HUBS),
  cancelled: false,
});
