// Owns: queries of one level over the rows of answer-rows.fixture.ts: joins, groups, distinct, cursors, conditions.

import { avg, count, countDistinct, max, min, sum } from "../../core/query/aggregates.ts";
import { alias } from "../../core/query/alias.ts";
import type { SelectNode } from "../../core/query/ast.ts";
import {
  and,
  asc,
  between,
  desc,
  eq,
  gt,
  gte,
  inArray,
  notInArray,
  isNull,
  like,
  lt,
  ne,
  not,
  notExists,
  or,
} from "../../core/query/expressions.ts";
import { select } from "../../core/query/select-builder.ts";
import type { InferRow } from "../../core/schema/table.ts";
import { drafts, nothing, things, todos, users } from "../database/server-database.fixture.ts";
import { bytes } from "./answer-rows.fixture.ts";

export type Queries = { readonly [what: string]: { readonly ast: SelectNode } };

export const owner = alias(users, "owner");
export const other = alias(todos, "other");
export const perOwner = select({ owner: todos.ownerId, n: count(), top: max(todos.rank) })
  .from(todos)
  .groupBy(todos.ownerId);
export const numbers = {
  n: count(),
  known: count(things.int),
  kinds: countDistinct(things.text),
  reals: countDistinct(things.real),
  ints: sum(things.int),
  mean: avg(things.int),
  bigs: sum(things.big),
  bigMean: avg(things.big),
  times: sum(things.at),
  firstText: min(things.text),
  lastText: max(things.text),
  firstBytes: min(things.bytes),
  lastBytes: max(things.bytes),
  allFlags: min(things.flag),
  anyFlag: max(things.flag),
  least: min(things.real),
  most: max(things.big),
  json: count(things.data),
};

/** A row of `things` to go on behind. */
const cursor = (values: Partial<InferRow<typeof things>> & { readonly id: string }): InferRow<typeof things> => ({
  ...nothing,
  ...values,
});

const thousands = Array.from({ length: 2000 }, (_, i) => i);

export const queries: Queries = {
  "inner join": select().from(todos).innerJoin(users),
  "left join": select().from(todos).leftJoin(users),
  "right join": select().from(todos).rightJoin(users),
  "full join": select().from(todos).fullJoin(users),
  "full join of any condition": select()
    .from(todos)
    .fullJoin(users, or(eq(todos.ownerId, users.id), gt(todos.title, users.name))),
  "full join of nothing": select().from(todos).fullJoin(users, or()),
  "full join of everything": select().from(todos).fullJoin(users, and()),
  "full join of a range": select()
    .from(todos)
    .fullJoin(other, and(lt(todos.rank, other.rank), eq(other.title, "a"))),
  "self join, right then left": select()
    .from(todos)
    .rightJoin(other, and(eq(other.rank, todos.rank), ne(other.id, todos.id)))
    .leftJoin(owner, eq(owner.id, other.ownerId)),
  "left then right then full": select()
    .from(things)
    .leftJoin(users)
    .rightJoin(todos, eq(todos.ownerId, users.id))
    .fullJoin(other, and(eq(other.id, todos.id), gt(other.rank, 1))),
  "where on the empty side": select()
    .from(todos)
    .fullJoin(users)
    .where(or(isNull(users.id), isNull(todos.id))),
  "projection of outer joins": select({ t: todos.title, u: users.name, e: users.email })
    .from(todos)
    .fullJoin(users)
    .orderBy(desc(users.email), asc(todos.rank)),

  "aggregates of all": select(numbers).from(things),
  "aggregates of nothing": select(numbers).from(things).where(eq(things.id, "none")),
  groups: select({ text: things.text, flag: things.flag, ...numbers })
    .from(things)
    .groupBy(things.text, things.flag),
  "sum of reals": select({ s: sum(things.real), m: avg(things.real) })
    .from(things)
    .where(inArray(things.id, ["c", "e"])),
  "group by reals, bigs and bytes": select({ r: things.real, b: things.big, y: things.bytes, n: count() })
    .from(things)
    .groupBy(things.real, things.big, things.bytes),
  having: perOwner.having(gt(count(), 1)),
  "having over a join": select({ name: users.name, n: count(todos.id), r: sum(todos.rank) })
    .from(users)
    .leftJoin(todos)
    .groupBy(users.id, users.name)
    .having(or(gte(sum(todos.rank), 2), isNull(sum(todos.rank))))
    .orderBy(desc(count(todos.id)), asc(users.name)),
  "having without groups": select({ n: count() })
    .from(todos)
    .having(lt(max(todos.rank), 10)),
  "having without groups or aggregates": select({}).from(todos).where(eq(todos.id, "none")).having(and()),
  "having inArray and between": perOwner.having(and(inArray(count(), [1, 3]), between(max(todos.rank), 2, 3))),
  "having avg": select({ o: todos.ownerId, a: avg(todos.rank) })
    .from(todos)
    .groupBy(todos.ownerId)
    .having(gte(avg(todos.rank), 1.5)),
  "having bigint": select({ t: things.text, s: sum(things.big) })
    .from(things)
    .groupBy(things.text)
    .having(gte(sum(things.big), 0n)),
  "order by an aggregate": perOwner
    .orderBy(desc(max(todos.rank)), desc(count()))
    .limit(2)
    .offset(1),
  "groups after": perOwner.orderBy(desc(count())).after({ owner: "u2", n: 1, top: 2 }),
  "group keys alone": select({ r: todos.rank }).from(todos).groupBy(todos.rank, todos.ownerId),

  distinct: select({ rank: todos.rank }).from(todos).distinct(),
  "distinct over a join": select({ rank: todos.rank, name: users.name })
    .from(todos)
    .leftJoin(users)
    .distinct()
    .orderBy(desc(users.name)),
  "distinct with nulls, bigs, bytes": select({ big: things.big, bytes: things.bytes, flag: things.flag })
    .from(things)
    .distinct()
    .orderBy(desc(things.flag)),
  "distinct window": select({ rank: todos.rank }).from(todos).distinct().orderBy(desc(todos.rank)).limit(2).offset(1),
  "distinct after": select({ rank: todos.rank })
    .from(todos)
    .distinct()
    .orderBy(desc(todos.rank))
    .after({ rank: 3 })
    .limit(2),
  "distinct of nothing shown": select({}).from(todos).distinct(),
  "distinct groups": select({ n: count(), top: max(todos.rank) })
    .from(todos)
    .groupBy(todos.ownerId)
    .distinct()
    .orderBy(desc(count())),
  "distinct groups after": select({ n: count(), top: max(todos.rank) })
    .from(todos)
    .groupBy(todos.ownerId)
    .having(gt(count(), 0))
    .distinct()
    .orderBy(desc(count()))
    .after({ n: 3, top: 3 })
    .limit(1),
  "nothing shown": select({}).from(todos),

  "after ascending": select()
    .from(things)
    .orderBy(asc(things.int))
    .after(cursor({ id: "b", int: 2 })),
  "after descending": select()
    .from(things)
    .orderBy(desc(things.int), desc(things.text))
    .after(cursor({ id: "b", int: 2, text: "x" })),
  "after null ascending": select()
    .from(things)
    .orderBy(asc(things.int))
    .after(cursor({ id: "a" })),
  "after null descending": select()
    .from(things)
    .orderBy(desc(things.real))
    .after(cursor({ id: "a" })),
  "after null between": select()
    .from(things)
    .orderBy(desc(things.flag), asc(things.at), asc(things.big))
    .after(cursor({ id: "e", flag: false })),
  "after not null, descending": select()
    .from(todos)
    .orderBy(desc(todos.rank), desc(todos.id))
    .after({ id: "t4", title: "", rank: 2, ownerId: "" }),
  "after with a window": select()
    .from(todos)
    .orderBy(desc(todos.title))
    .after({ id: "t2", title: "b", rank: 0, ownerId: "" })
    .limit(2)
    .offset(1),
  "after over a join": select()
    .from(todos)
    .fullJoin(users)
    .orderBy(desc(users.name))
    .after({
      todos: { id: "t2", title: "b", rank: 1, ownerId: "u1" },
      users: { id: "u1", name: "Ann", email: null },
    }),
  "after many terms": select()
    .from(things)
    .orderBy(
      desc(things.text),
      things.int,
      desc(things.real),
      things.at,
      desc(things.big),
      things.flag,
      desc(things.bytes),
      things.parentId,
    )
    .after(
      cursor({
        id: "a",
        text: "x",
        int: 1,
        real: 0.1,
        big: 2n ** 62n,
        flag: true,
        bytes: bytes(0, 254),
        parentId: "u1",
      }),
    ),

  "a local-only table": select()
    .from(users)
    .include({ drafts: select().from(drafts) })
    .where(notExists(select().from(drafts))),
  "ints beyond their column": select()
    .from(things)
    .where(and(lt(things.int, 2 ** 70), gt(things.int, 0.5), inArray(things.int, [1, 1.5, 2]))),
  "reals and ints": select()
    .from(things)
    .innerJoin(todos, gte(things.real, todos.rank))
    .where(inArray(things.real, [2 ** 60, 0.1, 1])),
  "flags and bytes": select()
    .from(things)
    .where(
      or(
        eq(things.flag, true),
        inArray(things.flag, [false, null]),
        lt(things.bytes, bytes(0, 255)),
        inArray(things.bytes, [bytes(0)]),
      ),
    ),
  "lists of thousands": select()
    .from(things)
    .where(
      or(
        inArray(things.text, thousands.map(String)),
        and(inArray(things.int, thousands), notInArray(things.big, thousands.map(BigInt))),
      ),
    ),
  "lists with null": select()
    .from(things)
    .where(or(not(inArray(things.text, ["x", null])), inArray(things.text, [null, "X"]), notInArray(things.at, []))),
  like: select()
    .from(things)
    .where(
      and(
        or(like(things.text, "X"), like(things.text, "É%"), like(things.text, "_\\_\\%\\\\")),
        not(like(things.text, "y")),
      ),
    ),
  "order of text": select().from(users).orderBy(desc(users.name), users.email),
};
