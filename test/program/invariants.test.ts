import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { DEFAULT_SERVICES as catalogue } from "../support/core.ts";
import { isSecret, plainTexts, type Recorded, reveal } from "../support/mocks.ts";
import { HOST_KEY } from "../support/settings/stack-input.ts";
import { cleanUp, type Run, runProgram, STACKS, ANTHROPIC_KEY, TOKEN } from "../support/program.ts";

afterAll(cleanUp);

const EXISTING = {
  "vpai:vps": { provider: "existing", address: "10.0.0.9", hostKey: HOST_KEY, memoryMb: 8192 },
  "vpai:rootPassword": "the-root-password-of-this-test",
};
const cases = [
  ...STACKS.map((stack) => ({ name: stack, stack, extra: {}, logins: "keys" })),
  { name: "prod on an existing server", stack: "prod", extra: EXISTING, logins: "any" },
];

/** What data or a product's own database depends on. */
const PERMANENT = [
  "backup-password",
  "grafana-admin-password",
  "grafana-secret-key",
  "litellm-salt-key",
  "n8n-encryption-key",
  "n8n-owner-password",
  "postgresql-superuser",
];

const COMMAND = "command:remote:Command";
const CONTAINER = "docker:index/container:Container";

/** The logins that a run of the program has sshd take. */
const loginsOf = ({ resources }: Run): string | undefined =>
  /^export VPAI_LOGINS=(.*)$/m.exec(
    String(reveal(resources.find(({ name }) => name === "host-ready")?.inputs["stdin"])),
  )?.[1];

test("on a server whose owner wants that, sshd takes keys alone", async () => {
  const vps = { ...EXISTING["vpai:vps"], passwordLogin: false };
  expect(loginsOf(await runProgram("prod", false, { ...EXISTING, "vpai:vps": vps }))).toBe("keys");
});

describe.each(cases)("$name", ({ stack, extra, logins }) => {
  let run: Run;
  let preview: Run;
  const of = (type: string): Recorded[] => run.resources.filter((resource) => resource.type === type);

  beforeAll(async () => {
    preview = await runProgram(stack, true, extra);
    run = await runProgram(stack, false, extra);
  });

  test("the same resources at a preview as at an update: none is made inside an apply", () => {
    expect(preview.resources.map(({ urn }) => urn)).toEqual(run.resources.map(({ urn }) => urn));
    // A component, files, image, container and gate for each service, and the machine below them.
    expect(run.resources.length).toBeGreaterThan(5 * catalogue.length);
    expect(run.resources.length).toBeLessThan(9 * catalogue.length);
  });

  test("sshd takes the logins that it should", () => {
    expect(loginsOf(run)).toBe(logins);
  });

  test("every resource has a component for a parent, and begins with its name", () => {
    const components = new Map(run.resources.filter(({ custom }) => !custom).map(({ urn, name }) => [urn, name]));
    const orphans = run.resources.filter(({ custom, parent }) => custom && !components.has(parent));
    expect(orphans.map(({ urn }) => urn)).toEqual([]);
    const misnamed = run.resources.filter(
      ({ custom, parent, name }) => custom && !name.startsWith(`${components.get(parent)}-`),
    );
    expect(misnamed.map(({ name }) => name)).toEqual([]);
  });

  test("components store no inputs", () => {
    expect(run.resources.filter(({ custom, inputs }) => !custom && Object.keys(inputs).length > 0)).toEqual([]);
  });

  test("names are unique, in the state and on the host", () => {
    const names = run.resources.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const containers = of(CONTAINER).map(({ inputs }) => inputs["name"]);
    expect(new Set(containers).size).toBe(containers.length);
  });

  test("host ports are unique, and none but the web's is published", () => {
    const ports = of(CONTAINER).flatMap(({ inputs }) =>
      ((inputs["ports"] ?? []) as { external: number; protocol: string; ip: string }[]).map(
        (p) => `${p.ip}:${p.external}/${p.protocol}`,
      ),
    );
    expect(ports.sort()).toEqual(["0.0.0.0:443/tcp", "0.0.0.0:443/udp", "0.0.0.0:80/tcp"]);
  });

  test("every image has a digest and stays on the host", () => {
    const images = of("docker:index/remoteImage:RemoteImage");
    expect(images.length).toBe(of(CONTAINER).length);
    for (const { inputs } of images) {
      expect(inputs["name"]).toMatch(/^[^@]+:[^@]+@sha256:[0-9a-f]{64}$/);
      expect(inputs["keepLocally"]).toBe(true);
      expect(inputs["pullTriggers"]).toBeUndefined();
    }
  });

  test("every container waits for every image", () => {
    const images = of("docker:index/remoteImage:RemoteImage").map(({ urn }) => urn);
    for (const { options } of of(CONTAINER)) expect(options.dependencies).toEqual(expect.arrayContaining(images));
  });

  test("every container is checked, limited, logged, restarted, stopped in order and locked down", () => {
    for (const { inputs } of of(CONTAINER)) {
      expect(inputs).toMatchObject({
        restart: "unless-stopped",
        init: true,
        networkMode: "bridge",
        logDriver: "json-file",
        logOpts: { "max-size": "10m", "max-file": "3" },
        securityOpts: ["no-new-privileges:true"],
        user: expect.stringMatching(/^\d+:\d+$/),
        cpus: expect.stringMatching(/^\d(\.\d+)?$/),
        healthcheck: { tests: expect.any(Array), retries: expect.any(Number) },
        capabilities: { drops: ["ALL"] },
      });
      expect(inputs["memory"]).toBeGreaterThanOrEqual(32);
      expect(inputs["memorySwap"]).toBe(inputs["memory"]);
      // A delete without a grace period kills at once; what keeps data gets more.
      const keeps = (catalogue.find(({ name }) => name === inputs["name"])?.data ?? []).length > 0;
      expect(inputs["destroyGraceSeconds"]).toBeGreaterThanOrEqual(keeps ? 30 : 10);
      // An operator's `docker stop` gives as much time as the program does.
      expect(inputs["stopTimeout"]).toBe(inputs["destroyGraceSeconds"]);
      expect(plainTexts(inputs["healthcheck"]).join(" ")).not.toContain("localhost");
    }
  });

  test("a container is replaced for what Docker cannot change of one that exists", () => {
    for (const { options } of of(CONTAINER))
      expect(options).toMatchObject({
        deleteBeforeReplace: true,
        replaceOnChanges: expect.arrayContaining(["healthcheck", "init", "tmpfs"]),
      });
  });

  test("root, a writable root file system and the host's files: only where the catalogue says why", () => {
    const declared = new Map(catalogue.map((definition) => [definition.name, definition]));
    for (const { inputs } of of(CONTAINER)) {
      const definition = declared.get(String(inputs["name"]));
      expect(String(inputs["user"]).startsWith("0:")).toBe(definition?.user.rootReason !== undefined);
      expect(inputs["readOnly"]).toBe((definition?.readOnly ?? true) === true);
      const mounts = (inputs["mounts"] ?? []) as { source: string; readOnly: boolean }[];
      const foreign = mounts.filter(({ source }) => !source.startsWith("/opt/vpai/"));
      expect(foreign.map(({ source }) => source)).toEqual((definition?.hostMounts ?? []).map(({ source }) => source));
      expect(foreign.every(({ readOnly }) => readOnly)).toBe(true);
    }
  });

  test("Docker's socket: cAdvisor and the proxy that stands before it, and nobody else", () => {
    const holders = of(CONTAINER).filter(({ inputs }) =>
      plainTexts(inputs["mounts"]).join(" ").includes("docker.sock"),
    );
    expect(holders.map(({ inputs }) => inputs["name"]).sort()).toEqual(["cadvisor", "socket-proxy"]);
  });

  test("nothing that looks like a secret is in an environment or a command line", () => {
    for (const { inputs } of of(CONTAINER)) {
      const envs = (inputs["envs"] as string[]).filter((line) => /(PASSWORD|SECRET|TOKEN|_KEY)=/.test(line));
      expect({ name: inputs["name"], envs }).toEqual({ name: inputs["name"], envs: [] });
    }
  });

  test("no secret value is in a plain input, and nothing that is made of one", () => {
    const values = run.resources.flatMap(({ type, name }) =>
      type.startsWith("random:") ? [`value-of-${name}`] : type.startsWith("tls:") ? [`private-key-of-${name}`] : [],
    );
    expect(values.length).toBeGreaterThan(4);
    const forbidden = [...values, TOKEN, ANTHROPIC_KEY, "the-root-password-of-this-test"];
    const leaks = run.resources.flatMap(({ name, inputs }) =>
      plainTexts(inputs)
        .filter((text) => forbidden.some((value) => text.includes(value)))
        .map((text) => `${name}: ${text}`),
    );
    expect(leaks).toEqual([]);
  });

  test("what is irreplaceable is protected in prod, and nowhere else", () => {
    const protectedNames = run.resources
      .filter(({ options }) => options.protect)
      .map(({ name }) => name)
      .sort();
    const keys = [...PERMANENT.map((name) => `secrets-${name}`), "vps-client-key"];
    const expected =
      stack !== "prod"
        ? []
        : "vpai:vps" in extra
          ? keys
          : ["vps-address", "vps-host-key", "vps-server", ...keys].sort();
    expect(protectedNames).toEqual(expected);
  });

  test("every remote command knows its machine and its host key, and shows nothing", () => {
    expect(of(COMMAND).length).toBeGreaterThan(8);
    const machine = anchor(run);
    for (const { name, inputs } of of(COMMAND)) {
      const connection = reveal(inputs["connection"]) as Record<string, unknown>;
      expect(reveal(connection["hostKey"])).toMatch(/^ssh-ed25519 \S+$/);
      expect(inputs["logging"]).toBe("none");
      expect(inputs["addPreviousOutputInEnv"]).toBe(false);
      expect(inputs["environment"]).toBeUndefined();
      if (name !== "vps-arrival") {
        expect((inputs["triggers"] as unknown[])[0]).toBe(machine.type === COMMAND ? "id-of-vps-arrival" : "4711");
        expect(isSecret(connection["privateKey"]) || isSecret(inputs["connection"])).toBe(true);
      }
    }
  });

  test("everything on the host is tied to the machine", () => {
    const machine = anchor(run);
    const onHost = run.resources.filter(
      ({ type, name }) => /^(docker:|command:remote)/.test(type) && name !== "vps-arrival",
    );
    expect(onHost.length).toBeGreaterThan(15);
    for (const { options } of onHost) {
      expect(options.replacementTrigger).toBe(machine.type === COMMAND ? "id-of-vps-arrival" : "4711");
      expect(options.deletedWith).toBe("vpai:vps" in extra ? "" : machine.urn);
    }
  });

  test("two runs ask for the same", async () => {
    const again = await runProgram(stack, false, extra);
    const comparable = ({ resources, workFolder }: Run): unknown =>
      JSON.parse(
        JSON.stringify(resources.map(({ urn, inputs, options }) => ({ urn, inputs, options }))).replaceAll(
          workFolder,
          "<work>",
        ),
      );
    expect(comparable(again)).toEqual(comparable(run));
  });
});

function anchor({ resources }: Run): Recorded {
  const found = resources.find(({ name }) => name === "vps-server" || name === "vps-arrival");
  if (!found) throw new Error("the program makes no machine");
  return found;
}
