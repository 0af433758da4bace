import * as pulumi from "@pulumi/pulumi";
import { SSH_ALIAS } from "../components/host/ssh-files.ts";
import { publicOrigin } from "../components/service/model/public-origin.ts";
import { type Access, planAccess } from "../components/service/plan/access.ts";
import { revealFrom, secretsOfLogin } from "../components/service/plan/secrets.ts";
import type { Plan } from "./plan.ts";
import type { Dns, Platform } from "./platform.ts";
import type { Settings } from "./settings/parse.ts";

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
  /** Address, user name, password and key of each service, as they have to be typed; secret. */
  readonly access: pulumi.Output<Access[]>;
  readonly images: Readonly<Record<string, string>>;
  /** The records of the domain; null where no zone is set: undefined would be a warning of the engine's on every run. */
  readonly dns: pulumi.Output<Dns> | null;
}

export function outputsOf(settings: Settings, plan: Plan, platform: Platform): Outputs {
  return {
    address: platform.machine.address,
    links: {
      health: `${publicOrigin(settings)}/health`,
      ...Object.fromEntries(plan.context.routes.map(({ service, origin }) => [service, `${origin}/`])),
    },
    ssh: `ssh -F ${settings.workFolder}/ssh/config ${SSH_ALIAS}`,
    credentials: `./vpai output --stack ${settings.stack}`,
    secrets: pulumi.secret(platform.secrets.pick(Object.keys(plan.secrets))),
    access: pulumi.secret(
      platform.secrets
        .pick(plan.services.flatMap((definition) => secretsOfLogin(definition, plan.context)))
        .apply((values) => planAccess(plan.services, plan.context, revealFrom(values))),
    ),
    images: Object.fromEntries(plan.images),
    dns: platform.dns ?? null,
  };
}
