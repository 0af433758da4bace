import { describe, expect, test } from "@jest/globals";
import { chooseSource, type Situation } from "../../../../ops/images/source.ts";

const NEW: Situation = { instance: "sandbox", asked: undefined, kept: undefined, hasServers: false };
const UPSTREAM = "images: upstream, pulled through the sandbox's cache";

async function choose(situation: Partial<Situation>, obstacle?: string): Promise<[string, boolean]> {
  let probed = false;
  const probe = (): Promise<string | undefined> => {
    probed = true;
    return Promise.resolve(obstacle);
  };
  return [(await chooseSource({ ...NEW, ...situation }, probe)).line, probed];
}

describe("the images of a sandbox", () => {
  test.each<[string, Partial<Situation>, string | undefined, string, boolean]>([
    ["that is new are the registries' where they are reachable", {}, undefined, UPSTREAM, true],
    [
      "that is new are made here where they are not",
      {},
      "registry-1.docker.io: name not resolved",
      "images: built here (registry-1.docker.io: name not resolved)",
      true,
    ],
    ["are those asked for", { asked: "upstream" }, "unreachable", `${UPSTREAM} (--images)`, false],
    ["are those asked for, made here too", { asked: "built" }, undefined, "images: built here (--images)", false],
    ["are what they were", { kept: "upstream", hasServers: true }, "unreachable", `${UPSTREAM} (as before)`, false],
    ["are what they were, made here too", { kept: "built" }, undefined, "images: built here (as before)", false],
    [
      "of the time before there was a choice are made here",
      { hasServers: true },
      undefined,
      "images: built here (as before)",
      false,
    ],
    [
      "may change while there is no server",
      { asked: "upstream", kept: "built" },
      undefined,
      `${UPSTREAM} (--images)`,
      false,
    ],
    [
      "may be asked for again",
      { asked: "upstream", kept: "upstream", hasServers: true },
      undefined,
      `${UPSTREAM} (--images)`,
      false,
    ],
  ])("%s", async (_name, situation, obstacle, line, probes) => {
    expect(await choose(situation, obstacle)).toEqual([line, probes]);
  });

  test.each<[Partial<Situation>, string]>([
    [
      { asked: "upstream", kept: "built", hasServers: true },
      "--images: upstream, and the servers of this sandbox run images of the other kind (built)\n  allowed: built\n" +
        "  do: leave it out; or `./vpai sandbox down` first, or take another sandbox (--instance)",
    ],
    [
      { instance: "try", asked: "built", kept: "upstream", hasServers: true },
      "--images: built, and the servers of this sandbox run images of the other kind (upstream)\n  allowed: upstream\n" +
        "  do: leave it out; or `./vpai sandbox down --instance try` first, or take another sandbox (--instance)",
    ],
    [
      { asked: "upstream", hasServers: true },
      "--images: upstream, and the servers of this sandbox run images of the other kind (built)\n  allowed: built\n" +
        "  do: leave it out; or `./vpai sandbox down` first, or take another sandbox (--instance)",
    ],
  ])("are not changed under a server: %j", async (situation, message) => {
    await expect(choose(situation)).rejects.toThrow(message);
  });
});
