import * as pulumi from "@pulumi/pulumi";
import { MockMonitor } from "@pulumi/pulumi/runtime/mocks.js";

/** A resource as the program registered it. */
export interface Recorded {
  readonly type: string;
  readonly name: string;
  readonly custom: boolean;
  /** Secrets are envelopes: see {@link isSecret}. */
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly urn: string;
  readonly parent: string;
  readonly options: {
    readonly protect: boolean;
    readonly deletedWith: string;
    readonly ignoreChanges: readonly string[];
    readonly replaceOnChanges: readonly string[];
    readonly deleteBeforeReplace: boolean;
    readonly dependencies: readonly string[];
    readonly replacementTrigger: unknown;
  };
}

// The SDK has it and leaves it out of its types.
const { waitForRPCs } = pulumi.runtime as unknown as { waitForRPCs: () => Promise<void> };

const SECRET_KEY = "4dabf18193072939515e22adb298388d";

/** Whether a recorded value is a secret's envelope. */
export const isSecret = (value: unknown): boolean => typeof value === "object" && value !== null && SECRET_KEY in value;

/** Whether a recorded value is one that a preview cannot know: it has no envelope, even where it is secret. */
export const isUnknown = (value: unknown): boolean =>
  typeof value === "object" && value !== null && "__pulumiUnknown" in value;

/** What is in the envelope. */
export const reveal = (value: unknown): unknown => (isSecret(value) ? (value as { value: unknown }).value : value);

/** Every plain text in a value, without what secrets' envelopes hold. */
export function plainTexts(value: unknown): string[] {
  if (isSecret(value)) return [];
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(plainTexts);
}

/** What providers would answer, so that the program has something to go on with. */
export const ANSWERS: Record<string, (args: pulumi.runtime.MockResourceArgs) => Record<string, unknown>> = {
  "tls:index/privateKey:PrivateKey": ({ name }) => ({
    privateKeyOpenssh: `private-key-of-${name}`,
    publicKeyOpenssh: `ssh-ed25519 ${Buffer.from(name).toString("base64")}\n`,
  }),
  "random:index/randomPassword:RandomPassword": ({ name }) => ({ result: `value-of-${name}` }),
  "command:local:Command": () => ({ stdout: "cx33 at fsn1" }),
  "hcloud:index/primaryIp:PrimaryIp": () => ({ ipAddress: "203.0.113.7" }),
  "docker:index/remoteImage:RemoteImage": ({ inputs }) => ({ imageId: `id-of-${(inputs as { name: string }).name}` }),
};

interface Request {
  getType(): string;
  getName(): string;
  getCustom(): boolean;
  getParent(): string;
  getProtect(): boolean | undefined;
  getDeletedwith(): string;
  getReplaceWithList(): string[];
  getIgnorechangesList(): string[];
  getReplaceonchangesList(): string[];
  getDeletebeforereplace(): boolean;
  getDependenciesList(): string[];
  getReplacementTrigger(): { toJavaScript(): unknown } | undefined;
}

type Answered = (error: unknown, response: { getUrn(): string } | undefined) => void;
type Register = (this: unknown, request: Request, callback: Answered) => Promise<void>;

const monitor = MockMonitor.prototype as unknown as { registerResource: Register };
const register = monitor.registerResource;

/**
 * Puts the SDK on mocks. At a preview nothing is known that a provider would compute, as in the real one.
 *
 * The mocks' own callback knows no resource options, so the request itself is looked at.
 */
export async function record(stack: string, preview: boolean): Promise<() => Promise<readonly Recorded[]>> {
  const inputs = new Map<string, Recorded["inputs"]>();
  const recorded: Recorded[] = [];
  const mocks: pulumi.runtime.Mocks = {
    newResource: (args) => {
      inputs.set(`${args.type} ${args.name}`, args.inputs as Recorded["inputs"]);
      if (preview) return { id: undefined, state: args.inputs as Record<string, unknown> };
      const id = args.type.startsWith("hcloud:") ? "4711" : `id-of-${args.name}`;
      return { id, state: { ...(args.inputs as Record<string, unknown>), ...ANSWERS[args.type]?.(args) } };
    },
    call: ({ token }) => {
      throw new Error(`the program calls ${token}: so would a run that changes nothing`);
    },
  };
  await pulumi.runtime.setMocks(mocks, "vpai", stack, preview);
  monitor.registerResource = function (request, callback) {
    return register.call(this, request, (error, response) => {
      const [type, name] = [request.getType(), request.getName()];
      const urn = response?.getUrn() ?? "";
      recorded.push({ type, name, inputs: inputs.get(`${type} ${name}`) ?? {}, urn, ...optionsOf(request) });
      callback(error, response);
    });
  };
  return async () => {
    await waitForRPCs();
    return [...recorded].sort((a, b) => (a.urn < b.urn ? -1 : 1));
  };
}

function optionsOf(request: Request): Pick<Recorded, "custom" | "parent" | "options"> {
  return {
    custom: request.getCustom(),
    parent: request.getParent(),
    options: {
      protect: request.getProtect() ?? false,
      deletedWith: request.getDeletedwith(),
      ignoreChanges: request.getIgnorechangesList(),
      replaceOnChanges: request.getReplaceonchangesList(),
      deleteBeforeReplace: request.getDeletebeforereplace(),
      dependencies: request.getDependenciesList(),
      replacementTrigger: request.getReplacementTrigger()?.toJavaScript(),
    },
  };
}
