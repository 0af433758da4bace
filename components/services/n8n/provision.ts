import type { HttpStep } from "../../service/model/provision.ts";
import type { ServiceSettings } from "../../service/model/settings.ts";

/**
 * P29: creates the owner account over n8n's own API, from within the network. Until it exists, the first visitor becomes
 * the owner, and n8n accepts only one; a login proves that it is this one.
 */
export function ownerSteps(owner: ServiceSettings["owner"], password: string): HttpStep[] {
  return [
    {
      name:
        `owner ${owner.email} (if n8n answers "already setup": its owner has another address or password than vpai:owner ` +
        `and the secret n8n-owner-password. Set them in n8n, or delete n8n's users with ` +
        "`docker exec n8n n8n user-management:reset`, which keeps the workflows, and run up again)",
      probe: { method: "POST", path: "/rest/login", json: { emailOrLdapLoginId: owner.email, password } },
      // 998: the password is correct, and a second factor is required.
      satisfiedBy: [{ status: 200 }, { status: 401, json: { code: 998 } }],
      apply: [
        { method: "POST", path: "/rest/owner/setup", json: { ...owner, password }, when: { status: 401 }, ok: [200] },
      ],
      // Logins are limited to a few a minute; whether there is an owner may be asked at any time.
      inspect: {
        request: { method: "GET", path: "/rest/settings" },
        satisfiedBy: { status: 200, json: { data: { userManagement: { showSetupOnFirstLoad: false } } } },
      },
    },
  ];
}
