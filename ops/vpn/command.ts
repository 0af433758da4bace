import { membersCommand, membersScript, OWNER, SERVER_TAG } from "../../components/vpn/headscale.ts";
import { planRoutes } from "../../components/service/plan/routes.ts";
import { OperatorError } from "../../shared/errors.ts";
import { deployedServices } from "../../stacks/catalogue.ts";
import { requireChoice, type StackChoice } from "../deploy/open.ts";
import { requireSshConfig } from "../deploy/ssh.ts";
import { StackFile } from "../stack/config-file.ts";
import { onServer } from "../stack/on-server.ts";
import { joinText, MACHINE_NAME, type Member, membersTable } from "./members.ts";

export type VpnOptions = StackChoice;

/** `vpai vpn add`: a key for one machine, and what to do with it there. */
export async function runVpnAdd(name: string, options: VpnOptions): Promise<void> {
  requireName(name);
  const file = requireOwnVpn(options);
  const { url, key } = await askHeadscale<{ url: string; key: string }>(options, "add", OWNER, name);
  const { port } = new URL(url);
  const address = { domain: file.domain ?? "", publicPort: port === "" ? 443 : Number(port) };
  const routes = planRoutes(deployedServices(file), address).filter(({ audience }) => audience === "vpn");
  process.stdout.write(
    joinText(
      name,
      { url, key },
      routes.map(({ origin }) => `${origin}/`),
    ),
  );
}

/** `vpai vpn list`. */
export async function runVpnList({ json, ...options }: VpnOptions & { readonly json: boolean }): Promise<void> {
  requireOwnVpn(options);
  const members = await askHeadscale<Member[]>(options, "list");
  process.stdout.write(json ? `${JSON.stringify(members, undefined, 2)}\n` : membersTable(members));
}

/** `vpai vpn remove`: the machine is out at once. */
export async function runVpnRemove(name: string, options: VpnOptions): Promise<void> {
  requireName(name);
  requireOwnVpn(options);
  const { removed } = await askHeadscale<{ removed: boolean }>(options, "remove", SERVER_TAG, name);
  if (removed) return void process.stdout.write(`${name} is no longer a member\n`);
  throw new OperatorError({
    key: `vpai vpn remove ${name}`,
    found: "no member of that name",
    fix: `\`vpai vpn list --stack ${options.stack}\` names them`,
  });
}

function requireName(name: string): void {
  if (MACHINE_NAME.test(name)) return;
  throw new OperatorError({
    key: "the machine's name",
    found: name,
    allowed: "letters in lower case, digits and -, at most 63",
    fix: "choose such a name",
  });
}

function requireOwnVpn(options: VpnOptions): StackFile {
  requireChoice(options);
  const file = StackFile.read(options.stack);
  if (file.vpn.host) return file;
  const { controlUrl } = file.vpn;
  throw new OperatorError({
    key: `vpai:vpn.host of stack ${options.stack}`,
    found: controlUrl === undefined ? "false: the stack has no VPN" : `false: the VPN is the one of ${controlUrl}`,
    allowed: "true, which runs Headscale on the server",
    fix:
      controlUrl === undefined
        ? `\`vpai pulumi --stack ${options.stack} -- config set --path vpai:vpn.host true\`, then \`vpai up --stack ${options.stack}\``
        : "manage its machines there",
  });
}

/** Runs members.py on the server. Its words have no character that a shell reads. */
async function askHeadscale<T>(options: VpnOptions, ...words: readonly string[]): Promise<T> {
  const { stack } = options;
  const printed = await onServer({
    stack,
    config: requireSshConfig(options),
    words: [membersCommand(...words)],
    input: membersScript(),
    seconds: 120,
    fault: (found) => ({
      key: `VPN of stack ${stack}`,
      found,
      fix: `\`vpai drift --stack ${stack}\` says whether Headscale runs`,
    }),
  });
  return JSON.parse(printed) as T;
}
