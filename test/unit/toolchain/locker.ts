// Run by lock.test.ts as a process of its own: locker.ts <lock> <log>. Takes the lock and tells, then waits for its end of input.
import { appendFileSync } from "node:fs";
import { withLock } from "../../../toolchain/lock.ts";

const [name = "", log = ""] = process.argv.slice(2);
await withLock(
  name,
  async () => {
    appendFileSync(log, `in ${process.pid}\n`);
    console.log("in");
    for await (const _ of process.stdin);
    appendFileSync(log, `out ${process.pid}\n`);
  },
  (owner) => console.log(`waits for ${owner}`),
);
