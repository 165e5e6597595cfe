// Preloaded into a server that a test starts: when the test's end of stdin closes, however it died, the whole process
// group ends. An exit handler in the test cannot promise that, because a runner may kill its workers.
import { isMainThread } from "node:worker_threads";

if (isMainThread) process.stdin.resume().on("close", () => process.kill(-process.pid, "SIGKILL"));
