import * as pulumi from "@pulumi/pulumi";
import { SSH_ALIAS } from "../components/host/ssh-files.ts";
import { publicOrigin } from "../components/service/model/public-origin.ts";
import type { Plan } from "./plan.ts";
import type { Platform } from "./platform.ts";
import type { Settings } from "./settings/load.ts";

/** What `pulumi stack output` shows. Nothing secret is shown without `--show-secrets`. */
export interface Outputs {
  readonly address: pulumi.Output<string>;
  /** Links by service, the domain's own health among them. */
  readonly links: Readonly<Record<string, string>>;
  /** How to log in to the server, from the program's folder. */
  readonly ssh: string;
  /** Where the generated credentials are. */
  readonly credentials: string;
  /** Generated secrets by name; secret. */
  readonly secrets: pulumi.Output<Record<string, string>>;
  readonly images: Readonly<Record<string, string>>;
}

export function outputsOf(settings: Settings, plan: Plan, platform: Platform): Outputs {
  return {
    address: platform.machine.address,
    links: {
      health: `${publicOrigin(settings)}/health`,
      ...Object.fromEntries(plan.context.routes.map(({ service, origin }) => [service, `${origin}/`])),
    },
    ssh: `ssh -F ${settings.workFolder}/ssh/config ${SSH_ALIAS}`,
    credentials: `pulumi stack output secrets --show-secrets --stack ${settings.stack}`,
    secrets: pulumi.secret(platform.secrets.pick(Object.keys(plan.secrets))),
    images: Object.fromEntries(plan.images),
  };
}
