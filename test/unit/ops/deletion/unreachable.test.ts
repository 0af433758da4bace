import { expect, test } from "@jest/globals";
import { type SshAnswer, unreachable } from "../../../../ops/deletion/unreachable.ts";

test.each<[string, SshAnswer | undefined, RegExp | undefined]>([
  ["a daemon that answers", { exitCode: 0, stderr: "" }, undefined],
  [
    "a daemon that is stopped",
    {
      exitCode: 1,
      stderr: "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
    },
    /^Docker on the server of stack prod: Cannot connect to the Docker daemon/,
  ],
  [
    "a Docker that is not installed",
    { exitCode: 127, stderr: "bash: line 1: docker: command not found" },
    /docker: command not found; nothing there can be read/,
  ],
  ["one that hangs", { stderr: "" }, /no answer within a minute/],
  [
    "a server that is off",
    { exitCode: 255, stderr: "ssh: connect to host 203.0.113.7 port 2222: Connection timed out" },
    /^server of stack prod: ssh: connect to host 203\.0\.113\.7 port 2222: Connection timed out/,
  ],
  ["a clone that never connected", undefined, /this clone has never connected to it/],
])("%s", (_, answer, text) => {
  const fault = unreachable("prod", answer);
  if (text === undefined) expect(fault).toBeUndefined();
  else expect(`${fault?.key}: ${fault?.found}`).toMatch(text);
});
