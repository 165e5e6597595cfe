// Owns: the public surface of `plasma-sync/testing`.

export { expectFile, expectNoFile } from "./expect-file.ts";
export { expectApplied, expectDenied, type Attempt, type Refusal } from "./expect-outcome.ts";
export { expectNeverTold, expectNotVisible, expectVisible, type RowPattern, type TableOf } from "./expect-rows.ts";
export { forEachSeed, type Seeds } from "./for-each-seed.ts";
export type { SimBackup } from "./sim-database-node.ts";
export type { AppVersion, Forge, TestClient } from "./test-client.ts";
export { TestFailure, type TestFailureCode } from "./test-failure.ts";
export type { NetworkFaults, RequestFilter, ServerFaults, TestNetwork, TestServer } from "./test-network.ts";
export { createTestWorld, type TestClientOptions, type TestWorld, type TestWorldOptions } from "./test-world.ts";
