import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, expect, test } from "@jest/globals";

const SCRIPT = join(__dirname, "../../../files/host/images.py");
const scratch = mkdtempSync(join(tmpdir(), "vpai-images-"));
afterAll(() => rmSync(scratch, { recursive: true }));

// A stand-in for the command `docker`: it knows two images and one container, and refuses to remove one of them.
const DOCKER = `#!/bin/sh
case "$*" in
  "ps "*) echo c1 ;;
  "container inspect c1") echo '[{"Image": "sha256:a", "Config": {"Labels": {"vpai.service": "n8n"}}}]' ;;
  "image ls "*) printf 'sha256:b\\nsha256:a\\nsha256:a\\n' ;;
  "image inspect sha256:a sha256:b") echo '[{"Id": "sha256:a", "RepoDigests": ["n8nio/n8n@sha256:1"], "RepoTags": null, "Created": "2026-01-01T00:00:00Z", "Size": 7}, {"Id": "sha256:b", "RepoDigests": null, "RepoTags": ["x:1"], "Size": 8}]' ;;
  "image inspect sha256:a") echo '[{"RepoDigests": ["n8nio/n8n@sha256:1", "n8n@sha256:1"]}]' ;;
  "image inspect "*) echo '[]'; exit 1 ;;
  "image rm n8nio/n8n@sha256:1" | "image rm n8n@sha256:1") touch "$HOME/removed" ;;
  "image rm "*) echo "Error: conflict: it is in use" >&2; exit 1 ;;
  "system df "*) printf 'Images\\t%s\\nContainers\\t0B\\n' "$([ -e "$HOME/removed" ] && echo 1.5GB || echo 2.25GB)" ;;
esac
`;

let home: string;
beforeEach(() => {
  home = mkdtempSync(join(scratch, "home-"));
  writeFileSync(join(home, "docker"), DOCKER, { mode: 0o755 });
});
const record = (): string => join(home, "state", "images.json");
const run = (plan: object): unknown => {
  const { status, stdout, stderr } = spawnSync("python3", [SCRIPT, JSON.stringify(plan)], {
    env: { ...process.env, HOME: home, PATH: `${home}:${process.env["PATH"]}`, VPAI_IMAGES: record() },
    encoding: "utf8",
    timeout: 60_000,
  });
  return status === 0 ? JSON.parse(stdout) : stderr;
};

test("images and the containers that use them are read, and nothing is written", () => {
  expect(run({ mode: "look" })).toEqual({
    containers: [{ service: "n8n", image: "sha256:a" }],
    images: [
      { id: "sha256:a", digests: ["n8nio/n8n@sha256:1"], tags: [], created: "2026-01-01T00:00:00Z", size: 7 },
      { id: "sha256:b", digests: [], tags: ["x:1"], created: "", size: 8 },
    ],
    record: {},
  });
  expect(existsSync(record())).toBe(false);
});

test("an image goes with all its names; one that Docker refuses to remove is named", () => {
  const wanted = { n8n: { present: "sha256:c" } };
  expect(run({ mode: "remove", images: ["sha256:a", "sha256:b"], record: wanted })).toEqual({
    removed: ["sha256:a"],
    left: [{ id: "sha256:b", why: "Error: conflict: it is in use" }],
    freed: 750_000_000,
  });
  expect(JSON.parse(readFileSync(record(), "utf8"))).toEqual(wanted);
  expect(run({ mode: "look" })).toMatchObject({ record: wanted });
});

test("a daemon that does not answer is an error, not an absence", () => {
  writeFileSync(join(home, "docker"), "#!/bin/sh\necho 'Cannot connect to the Docker daemon' >&2; exit 1\n", {
    mode: 0o755,
  });
  expect(run({ mode: "look" })).toBe("Cannot connect to the Docker daemon\n");
});
