import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "@jest/globals";
import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import { Host } from "../../components/host/host.ts";
import type { FileSpec, ServiceDefinition } from "../../components/service/model/definition.ts";
import { databaseSecret } from "../../components/service/model/secrets.ts";
import { planSecrets } from "../../components/service/plan/secrets.ts";
import { Secrets } from "../../components/secrets/secrets.ts";
import { DockerService } from "../../components/service/docker-service.ts";
import { Images } from "../../components/service/image-pulls.ts";
import { caddy } from "../../components/services/caddy/service.ts";
import { n8n } from "../../components/services/n8n/service.ts";
import type { Machine } from "../../components/vps/machine.ts";
import { testContext } from "../support/context.ts";
import { isSecret, isUnknown, type Recorded, record, reveal } from "../support/mocks.ts";

const folder = mkdtempSync(join(tmpdir(), "vpai-host-"));
afterAll(() => rmSync(folder, { recursive: true }));

const SCRIPT = `export VPAI_HASH=${"0".repeat(64)}\n`;

function machineOf(deletedWithServer: boolean): Machine {
  const anchor = new random.RandomPassword("anchor", { length: 1 });
  return {
    id: pulumi.output("machine-1"),
    resource: anchor,
    deletedWithServer,
    address: pulumi.output("203.0.113.7"),
    sshPort: 2222,
    user: "deploy",
    hostKey: pulumi.output("ssh-ed25519 AAAA"),
    privateKey: pulumi.secret("the-private-key"),
    bootstrap: pulumi.output(SCRIPT),
  };
}

async function build(
  preview: boolean,
  definition: ServiceDefinition,
  deletedWithServer = true,
): Promise<(name: string) => Recorded> {
  const finish = await record("prod", preview);
  const host = new Host("host", {
    machine: machineOf(deletedWithServer),
    workFolder: folder,
    networks: definition.networks,
  });
  const plan = planSecrets([definition]);
  const secrets = new Secrets("secrets", { host, plan, protect: true });
  const images = new Images("images", {
    host,
    images: new Map([
      [definition.name, "docker.io/x/y:1@sha256:0"],
      ["other", "docker.io/x/z:1@sha256:1"],
    ]),
  });
  const context = testContext();
  const database = {
    service: "n8n",
    server: "postgresql",
    name: "n8n",
    password: databaseSecret("n8n"),
    extensions: [],
    memberOf: [],
    holdsData: true,
  };
  new DockerService(definition.name, {
    definition,
    context,
    host,
    images,
    secrets,
    after: [],
    ...(definition.database && { database }),
  });
  const resources = await finish();
  return (name) => {
    const found = resources.find((resource) => resource.name === name);
    if (!found) throw new Error(`no resource is called ${name}`);
    return found;
  };
}

describe.each([true, false])("a service (preview %s)", (preview) => {
  let at: (name: string) => Recorded;
  beforeEach(async () => {
    at = await build(preview, n8n);
  });

  test("its container comes after its files, its database and every image", () => {
    const { dependencies } = at("n8n-container").options;
    for (const name of [
      "n8n-files",
      "n8n-database",
      "images-n8n",
      "images-other",
      "host-network-backend",
      "host-ready",
    ]) {
      expect(dependencies).toContain(at(name).urn);
    }
  });

  test("its files and its database's words are secret, and not in the script", () => {
    for (const name of ["n8n-files", "n8n-database"])
      expect((preview ? isUnknown : isSecret)(at(name).inputs["stdin"])).toBe(true);
    expect(at("n8n-files").inputs["create"]).toBe("sudo -n /usr/local/lib/vpai/files");
    expect(at("n8n-database").inputs["create"]).toBe(
      "docker exec -i postgresql psql --username postgres --no-psqlrc --quiet --set ON_ERROR_STOP=1 --file -",
    );
  });

  test("a permanent secret is protected and never made anew; another may be", () => {
    expect(at("secrets-n8n-encryption-key").options).toMatchObject({
      protect: true,
      ignoreChanges: ["length", "special", "minLower", "minUpper", "minNumeric", "keepers"],
    });
    expect(at("secrets-n8n-database").options).toMatchObject({ protect: false, ignoreChanges: [] });
  });

  test("it goes with its machine: deleted with it, replaced with it", () => {
    for (const name of ["n8n-container", "n8n-files", "n8n-healthy", "images-n8n", "host-network-egress"]) {
      expect(at(name).options).toMatchObject({ deletedWith: at("anchor").urn, replacementTrigger: "machine-1" });
    }
  });
});

test("its gate runs again for another container or another machine", async () => {
  const { inputs } = (await build(false, n8n))("n8n-healthy");
  expect(inputs).toMatchObject({
    create: "/usr/local/lib/vpai/gate n8n 480 256",
    triggers: ["machine-1", "id-of-n8n-container"],
  });
});

test("what is set over its API comes after the gate, again for another container, and its words are secret", async () => {
  const at = await build(false, n8n);
  const { inputs, options } = at("n8n-provisioned");
  expect(inputs).toMatchObject({
    create: "/usr/local/lib/vpai/provision",
    triggers: ["machine-1", "id-of-n8n-container"],
  });
  expect(isSecret(inputs["stdin"])).toBe(true);
  expect(options.dependencies).toContain(at("n8n-healthy").urn);
});

test("the database gets a verifier, never the password", async () => {
  const text = String(reveal((await build(false, n8n))("n8n-database").inputs["stdin"]));
  expect(text).toContain("PASSWORD 'SCRAM-SHA-256$4096:");
  expect(text).not.toContain("value-of-secrets-n8n-database");
});

test("changed files replace the container by a label, but not those that it reloads, validated with its image at hand", async () => {
  const label = ({ inputs }: Recorded): string | undefined =>
    (reveal(inputs["labels"]) as { label: string; value: string }[]).find(({ label }) => label === "vpai.files")?.value;
  const replaced = async (definition: ServiceDefinition): Promise<boolean> => {
    const name = `${definition.name}-container`;
    const specs = typeof definition.files === "function" ? definition.files(testContext()) : (definition.files ?? []);
    const files = specs.map((file): FileSpec => ({
      ...file,
      content: (context, reveal) => `another ${file.content(context, reveal)}`,
    }));
    const labels = [await build(false, definition), await build(false, { ...definition, files })].map((at) =>
      label(at(name)),
    );
    expect(labels).toEqual([expect.stringMatching(/^[0-9a-f]{16}$/), expect.stringMatching(/^[0-9a-f]{16}$/)]);
    return labels[0] !== labels[1];
  };
  expect([await replaced(n8n), await replaced(caddy)]).toEqual([true, false]);
  const at = await build(false, caddy);
  expect(at("caddy-files").options.dependencies).toContain(at("images-caddy").urn);
});

test("on a machine that was there before, what is on it is deleted one by one", async () => {
  const { options } = (await build(false, n8n, false))("n8n-container");
  expect([options.deletedWith, options.replacementTrigger]).toEqual(["", "machine-1"]);
});

test("the SSH files are there, for their owner alone, once the machine is known", async () => {
  const at = await build(false, n8n);
  expect(at("host-docker").inputs).toMatchObject({ host: "ssh://vpai" });
  expect(readFileSync(join(folder, "ssh/known_hosts"), "utf8")).toBe("vpai ssh-ed25519 AAAA\n");
  for (const name of ["id_ed25519", "known_hosts", "config"])
    expect(statSync(join(folder, "ssh", name)).mode & 0o777).toBe(0o600);
});
