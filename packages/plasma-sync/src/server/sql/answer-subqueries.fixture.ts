// Owns: queries within queries over the rows of answer-rows.fixture.ts: derived sources, exists, in, includes. A name that
// ends in `[]` has no answer on purpose.

import { avg, count, max, min, sum } from "../../core/query/aggregates.ts";
import { alias } from "../../core/query/alias.ts";
import { colRef } from "../../core/query/column-node.ts";
import {
  and,
  desc,
  eq,
  exists,
  gt,
  gte,
  inArray,
  isNotNull,
  like,
  lte,
  ne,
  not,
  notExists,
  notInArray,
  or,
} from "../../core/query/expressions.ts";
import { select } from "../../core/query/select-builder.ts";
import { things, todos, users, wide } from "../database/server-database.fixture.ts";
import { numbers, other, owner, perOwner, type Queries } from "./answer-queries.fixture.ts";

const total = colRef<number>("totals", "n");
const ofUser = select().from(todos).where(eq(todos.ownerId, users.id));

export const subqueries: Queries = {
  "derived source": select().fromSubquery(perOwner, "totals").where(gte(total, 1)),
  "derived source in a window": select().fromSubquery(select().from(todos).orderBy(desc(todos.rank)).limit(3), "top"),
  "derived source after": select()
    .fromSubquery(perOwner, "totals")
    .orderBy(desc(total))
    .after({ owner: "u2", n: 1, top: 2 }),
  "derived source of every kind": select()
    .fromSubquery(select().from(things).where(isNotNull(things.real)), "d")
    .where(gt(colRef("d", "big"), 0n)),
  "derived source joined": select()
    .fromSubquery(perOwner, "totals")
    .fullJoin(users, eq(users.id, colRef("totals", "owner"))),
  "derived source right joined": select()
    .fromSubquery(select({ r: todos.rank, none: things.text }).from(todos).leftJoin(things, eq(things.id, "none")), "d")
    .rightJoin(users, and(eq(users.name, "Ann"), gt(colRef("d", "r"), 1))),
  "derived source of derived sources": select({ n: count(), all: sum(total) }).fromSubquery(
    select().fromSubquery(perOwner, "inner"),
    "totals",
  ),
  "derived source grouped again": select({ n: total, m: count() })
    .fromSubquery(perOwner, "totals")
    .groupBy(total)
    .distinct(),
  "derived source of distinct groups": select().fromSubquery(
    select({ n: count() }).from(todos).groupBy(todos.ownerId).distinct().limit(1),
    "totals",
  ),
  "derived source without columns": select({ n: count() }).fromSubquery(select({}).from(todos), "d"),
  "derived source of flags and bytes": select({
    f: min(colRef("d", "f")),
    y: max(colRef("d", "y")),
    b: sum(colRef("d", "b")),
  }).fromSubquery(
    select({ f: max(things.flag), y: min(things.bytes), b: sum(things.big), t: things.text })
      .from(things)
      .groupBy(things.text),
    "d",
  ),

  exists: select().from(users).where(exists(ofUser)),
  "not exists": select().from(users).where(notExists(ofUser)),
  "not of exists": select()
    .from(users)
    .where(not(exists(ofUser.where(gt(todos.rank, 2))))),
  "exists in an or": select()
    .from(users)
    .where(or(exists(ofUser), like(users.name, "b%"))),
  "exists with an offset": select()
    .from(users)
    .where(exists(ofUser.offset(1))),
  "exists after": select()
    .from(users)
    .where(exists(ofUser.orderBy(todos.rank).after({ id: "t3", title: "", rank: 2, ownerId: "" }))),
  "exists of groups": select()
    .from(users)
    .where(
      exists(
        select({ n: count() })
          .from(todos)
          .where(eq(todos.ownerId, users.id))
          .groupBy(todos.ownerId)
          .having(gt(count(), 1)),
      ),
    ),
  "exists of one group is always": select()
    .from(users)
    .where(exists(select({ n: count() }).from(todos).where(eq(todos.ownerId, users.id)))),
  "exists of one group that has": select()
    .from(users)
    .where(exists(select({ n: count() }).from(todos).where(eq(todos.ownerId, users.id)).having(gt(count(), 1)))),
  "exists of distinct groups": select()
    .from(users)
    .where(
      exists(
        select({ n: count() }).from(todos).where(eq(todos.ownerId, users.id)).groupBy(todos.title).distinct().offset(0),
      ),
    ),
  "exists within exists": select()
    .from(users)
    .where(
      exists(
        ofUser.where(
          exists(
            select()
              .from(other)
              .where(and(eq(other.title, todos.title), ne(other.ownerId, users.id))),
          ),
        ),
      ),
    ),
  "exists over the same table": select()
    .from(todos)
    .where(
      exists(
        select()
          .from(other)
          .where(and(eq(other.rank, todos.rank), gt(other.id, todos.id))),
      ),
    ),
  "exists that hides a name": select()
    .from(todos)
    .where(exists(select().from(todos).where(eq(todos.rank, 3)))),
  "exists of a full join": select()
    .from(users)
    .where(
      exists(
        select().from(todos).fullJoin(things, eq(things.parentId, todos.ownerId)).where(eq(todos.ownerId, users.id)),
      ),
    ),
  "exists of a full join on the query around": select()
    .from(users)
    .where(
      exists(
        select()
          .from(todos)
          .fullJoin(things, and(eq(things.parentId, users.id), eq(todos.ownerId, users.id)))
          .where(and(isNotNull(todos.id), isNotNull(things.id))),
      ),
    ),
  "in a subquery": select()
    .from(users)
    .where(inArray(users.id, select({ o: todos.ownerId }).from(todos))),
  "not in a subquery": select()
    .from(users)
    .where(notInArray(users.id, select({ o: todos.ownerId }).from(todos))),
  "not in a subquery with null []": select()
    .from(users)
    .where(notInArray(users.id, select({ p: things.parentId }).from(things))),
  "null in a subquery": select()
    .from(things)
    .where(not(inArray(things.parentId, select({ o: todos.ownerId }).from(todos).where(eq(todos.rank, 3))))),
  "null in an empty subquery": select()
    .from(things)
    .where(notInArray(things.parentId, select({ o: todos.ownerId }).from(todos).where(eq(todos.rank, 99)))),
  "unknown of a subquery": select()
    .from(users)
    .where(or(not(inArray(users.email, select({ t: things.text }).from(things))), eq(users.id, "u2"))),
  "in a subquery's window": select()
    .from(users)
    .where(inArray(users.id, select({ o: todos.ownerId }).from(todos).orderBy(desc(todos.rank), todos.title).limit(2))),
  "in a correlated subquery": select()
    .from(todos)
    .where(
      inArray(
        todos.rank,
        select({ m: max(other.rank) })
          .from(other)
          .where(eq(other.ownerId, todos.ownerId)),
      ),
    ),
  "in a subquery of groups": select()
    .from(todos)
    .where(
      inArray(todos.ownerId, select({ o: other.ownerId }).from(other).groupBy(other.ownerId).having(gt(count(), 1))),
    ),
  "in a subquery of bigs": select()
    .from(things)
    .where(inArray(things.big, select({ b: max(things.big) }).from(things))),
  "in a subquery of bytes": select()
    .from(things)
    .where(inArray(things.bytes, select({ b: min(things.bytes) }).from(things))),
  "reals in a subquery of ints": select()
    .from(things)
    .where(notInArray(things.real, select({ i: todos.rank }).from(todos))),
  "in a subquery of distinct groups": select()
    .from(todos)
    .where(inArray(todos.rank, select({ n: count() }).from(other).groupBy(other.ownerId).distinct())),
  "aggregate of a column of the query around": select()
    .from(todos)
    .where(
      inArray(
        todos.rank,
        select({ m: sum(todos.rank) })
          .from(users)
          .where(eq(users.id, "u1")),
      ),
    ),
  "group by a column of the query around": select()
    .from(todos)
    .where(
      exists(
        select({ r: todos.rank, n: count() })
          .from(users)
          .groupBy(todos.rank)
          .having(and(eq(todos.rank, 2), gt(count(), 1))),
      ),
    ),

  include: select().from(users).include({ todos: ofUser }),
  "include with order and limit": select()
    .from(users)
    .include({ todos: ofUser.orderBy(desc(todos.rank)).limit(2).offset(1) })
    .orderBy(desc(users.name))
    .limit(3),
  "include one": select()
    .from(todos)
    .include({ owner: select().from(users).where(eq(users.id, todos.ownerId)).one() }),
  "include of every kind": select()
    .from(users)
    .include({ things: select().from(things).where(eq(things.parentId, users.id)), all: select().from(things) }),
  "include within include": select({ name: users.name })
    .from(users)
    .include({
      todos: ofUser
        .include({
          sameTitle: select({ id: other.id })
            .from(other)
            .where(and(eq(other.title, todos.title), ne(other.ownerId, users.id))),
          owner: select().from(owner).where(eq(owner.id, todos.ownerId)).one(),
        })
        .orderBy(todos.rank),
      things: select({ id: things.id, data: things.data }).from(things).where(eq(things.parentId, users.id)),
    }),
  "include of joins": select()
    .from(users)
    .include({
      rows: select()
        .from(todos)
        .fullJoin(things, eq(things.parentId, todos.ownerId))
        .where(eq(todos.ownerId, users.id)),
    }),
  "include beside joins": select()
    .from(todos)
    .fullJoin(users)
    .include({ things: select().from(things).where(eq(things.parentId, users.id)) }),
  "include of groups": select()
    .from(users)
    .include({
      ranks: select({ title: todos.title, n: count(), s: sum(todos.rank) })
        .from(todos)
        .where(eq(todos.ownerId, users.id))
        .groupBy(todos.title)
        .orderBy(desc(todos.title)),
      stats: select({ n: count(), top: max(todos.rank), mean: avg(todos.rank) })
        .from(todos)
        .where(eq(todos.ownerId, users.id))
        .one(),
    }),
  "include of every aggregate": select({ id: users.id })
    .from(users)
    .include({ numbers: select(numbers).from(things).where(eq(things.parentId, users.id)) }),
  "include distinct": select()
    .from(users)
    .include({
      ranks: select({ rank: todos.rank })
        .from(todos)
        .where(eq(todos.ownerId, users.id))
        .distinct()
        .orderBy(desc(todos.rank)),
    }),
  "include distinct groups": select()
    .from(users)
    .include({
      n: select({ n: count() }).from(todos).where(lte(todos.ownerId, users.id)).groupBy(todos.ownerId).distinct(),
    }),
  "include of a derived source": select()
    .from(users)
    .include({
      totals: select()
        .fromSubquery(perOwner, "totals")
        .where(eq(colRef("totals", "owner"), users.id)),
    }),
  "include of a derived source, outer joined": select()
    .from(users)
    .include({
      totals: select()
        .fromSubquery(perOwner, "totals")
        .rightJoin(todos, and(eq(colRef("totals", "owner"), todos.ownerId), gt(total, 1)))
        .where(eq(todos.ownerId, users.id)),
    }),
  "include after": select()
    .from(users)
    .include({ todos: ofUser.orderBy(todos.rank).after({ id: "t2", title: "", rank: 1, ownerId: "" }).limit(1) }),
  "include with a subquery": select()
    .from(users)
    .include({
      todos: ofUser.where(
        inArray(todos.title, select({ t: other.title }).from(other).where(ne(other.ownerId, users.id))),
      ),
    }),
  "include of nothing shown": select()
    .from(users)
    .include({ marks: select({}).from(todos).where(eq(todos.ownerId, users.id)) }),
  "include of many columns": select({ id: wide.id })
    .from(wide)
    .include({ same: select().from(wide), none: select().from(wide).where(eq(wide.id, "no")).one() }),
  "many columns, with an include": select()
    .from(wide)
    .fullJoin(alias(wide, "again"), eq(wide.id, "w1"))
    .include({ users: select().from(users), first: select().from(todos).one() }),
};
