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
export { PROTOCOL_VERSION } from "./protocol/version.ts";
export { alias } from "./query/alias.ts";
export type { Expr, OrderNode, ResultRow, SelectNode, WriteNode } from "./query/ast.ts";
export { createDb, type Db } from "./query/db.ts";
export {
  and,
  asc,
  between,
  desc,
  eq,
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
  notInArray,
  or,
} from "./query/expressions.ts";
export type { LiveDelta, LiveQuery, LiveQueryStatus } from "./query/live-query.ts";
export type { QueryEngine } from "./query/query-engine.ts";
export { select } from "./query/select-builder.ts";
export type { Projection, Select, SelectResult, SelectStart } from "./query/select-builder.ts";
export type { Filtered, Insert, InsertStart, UpdateStart } from "./query/write-builders.ts";
export {
  bigint,
  blob,
  boolean,
  crdtCounter,
  crdtLwwRegister,
  crdtOrSet,
  crdtPnCounter,
  file,
  id,
  int,
  json,
  real,
  ref,
  text,
  timestamp,
} from "./schema/column.ts";
export type { AnyColumn, Column, FileOptions, OnDelete } from "./schema/column.ts";
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
