import { createServer } from "node:http";
import { expect, test } from "@jest/globals";
import { call } from "../../../sandbox/control/control-client.ts";
import { CONTROL_PORT } from "../../../sandbox/control/control-lines.ts";
import type { WorldFile } from "../../../sandbox/supervisor/instance.ts";

test("a supervisor that does not answer in time is an error for the operator, with what was asked", async () => {
  const silent = createServer(() => undefined);
  const gateway = "127.0.0.99";
  await new Promise<void>((up, failed) => silent.once("error", failed).listen(CONTROL_PORT, gateway, up));
  try {
    await expect(call({ gateway, token: "t" } as WorldFile, "GET", "/inventory", undefined, 100)).rejects.toThrow(
      [
        "the sandbox's supervisor: no answer to GET /inventory within 0.1 s",
        "  do: run the command again once Docker on this machine is less busy; supervisor.log has what it does",
      ].join("\n"),
    );
  } finally {
    silent.closeAllConnections();
    silent.close();
  }
});
