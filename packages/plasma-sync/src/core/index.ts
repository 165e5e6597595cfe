// Owns: the public surface of `plasma-sync/core`, which is also the root entry.

export { isMutatorValidationError, isPlasmaAuthorizationError, isPlasmaError, PlasmaError } from "./error.ts";
export type {
  ArgsIssue,
  MutatorValidationError,
  PlasmaAuthorizationError,
  PlasmaErrorCode,
  PlasmaErrorData,
} from "./error.ts";
export { systemEnv, type Env } from "./lib/env.ts";
export type { AnyMutators, MutatorArgs, MutatorInput, MutatorName, Mutators } from "./mutation/mutator.ts";
export { defineMutators } from "./mutation/mutator.ts";
export type { PatchOp, PullResponse, Rejection } from "./protocol/pull.ts";
export type { MutationResult, PushMutation, PushRequest, PushResponse } from "./protocol/push.ts";
export type { PokePatch, PresenceEntry } from "./protocol/realtime.ts";
export { PROTOCOL_VERSION } from "./protocol/version.ts";
export { alias } from "./query/alias.ts";
export { avg, count, countDistinct, max, min, sum, type Aggregate } from "./query/aggregates.ts";
export type { Expr, OrderNode, ResultRow, SelectNode, WriteNode } from "./query/ast.ts";
export { colRef } from "./query/column-node.ts";
export { createDb, type Db } from "./query/db.ts";
export {
  and,
  asc,
  between,
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
  ne,
  not,
  notExists,
  notInArray,
  or,
  type Subquery,
} from "./query/expressions.ts";
export { increment, type Increment } from "./query/increment.ts";
export type { LiveDelta, LiveQuery, LiveQueryStatus } from "./query/live-query.ts";
export type { QueryEngine, QueryExplanation } from "./query/query-engine.ts";
export { select } from "./query/select-builder.ts";
export type {
  AnySelect,
  Includes,
  Projection,
  Select,
  SelectAnswer,
  SelectResult,
  SelectStart,
} from "./query/select-builder.ts";
export type { Filtered, Insert, InsertStart, UpdateSet, UpdateStart } from "./query/write-builders.ts";
export {
  bigint,
  blob,
  boolean,
  crdtCounter,
  crdtLwwRegister,
  crdtOrSet,
  crdtPnCounter,
  id,
  int,
  json,
  real,
  ref,
  text,
  timestamp,
} from "./schema/column.ts";
export type { AnyColumn, Column, OnDelete } from "./schema/column.ts";
export { file } from "./schema/file-column.ts";
export type { FileOptions } from "./schema/file-policy.ts";
export { defineSchema, type AnySchema, type Schema } from "./schema/schema.ts";
export {
  table,
  TABLE_META,
  type AnyTable,
  type InferInsert,
  type InferRow,
  type InferUpdate,
  type Table,
} from "./schema/table.ts";
export type { FileRef, JsonValue, Row, Value } from "./schema/value.ts";
