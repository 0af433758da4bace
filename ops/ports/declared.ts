import type { FirewallPlan } from "../../components/host/firewall/plan.ts";
import { OperatorError } from "../../shared/errors.ts";
import { deployedServices } from "../../stacks/catalogue.ts";
import { stackFirewall } from "../../stacks/plan.ts";
import { checkSettings } from "../../stacks/settings/parse.ts";
import { throughVpai } from "../engine/plain-engine.ts";
import { readStackText } from "../settings/project-file.ts";

/** The settings that decide about ports. */
const SETTINGS = /^vpai:(ssh|vps|vpnCidrs|vpn|disabledServices)\b/;

/**
 * The declared ports of a stack, from its file alone: neither the server nor the passphrase of its secrets is needed.
 *
 * @throws OperatorError if a setting that decides about them is wrong
 */
export function declaredPorts(stack: string, file: string): FirewallPlan {
  const text = readStackText(stack, file);
  if (text.faults.length > 0) throw new OperatorError(text.faults);
  const config = Object.entries(text.config).map(([key, value]) => [
    key,
    typeof value === "string" ? value : (JSON.stringify(value) ?? ""),
  ]);
  const { settings, faults } = checkSettings({ stack, config: Object.fromEntries(config), encrypted: [], env: {} });
  const wrong = faults.filter(({ key }) => SETTINGS.test(key));
  if (wrong.length > 0) throw new OperatorError(wrong.map((each) => ({ ...each, fix: throughVpai(each.fix, stack) })));
  return stackFirewall(settings, deployedServices(settings));
}
