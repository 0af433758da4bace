import { createHash } from "node:crypto";
import type { LlmClient } from "../../service/model/context.ts";
import type { Reveal } from "../../service/model/facets.ts";
import type { HttpRequest, HttpStep } from "../../service/model/provision.ts";
import { llmKey } from "../../service/model/secrets.ts";

/** LiteLLM knows a key by its hash; asked for by it, the key itself is in no address and no log. */
const hashOf = (key: string): string => createHash("sha256").update(key).digest("hex");

/**
 * The virtual key of each service that uses models: there, under the service's name, and with its budget. What it has
 * spent today outlives a change of the budget.
 */
export function llmKeySteps(clients: readonly LlmClient[], masterKey: string, reveal: Reveal): HttpStep[] {
  const headers = { authorization: `Bearer ${masterKey}` };
  return clients.flatMap(({ service, secret, dailyBudgetUsd }) => {
    const key = llmKey(reveal(secret));
    const asked: HttpRequest = { method: "GET", path: `/key/info?key=${hashOf(key)}`, headers };
    const post = (path: string, json: unknown): HttpRequest => ({ method: "POST", path, headers, json });
    const budget = { max_budget: dailyBudgetUsd, budget_duration: "1d" };
    return [
      {
        name: `the key of ${service}`,
        probe: asked,
        satisfiedBy: { status: 200 },
        // Without a name yet: the key before this one may still have it.
        apply: [{ ...post("/key/generate", { key, models: [], ...budget }), when: { status: 404 }, ok: [200] }],
      },
      {
        // Giving a key the name that it has changes nothing; a name that another key has is refused with 400. That
        // one is the service's former key, and must not open anything any more.
        name: `the name of ${service}'s key`,
        probe: post("/key/update", { key, key_alias: service }),
        satisfiedBy: { status: 200 },
        apply: [{ ...post("/key/delete", { key_aliases: [service] }), when: { status: 400 }, ok: [200] }],
      },
      {
        name: `the budget of ${service}`,
        probe: asked,
        satisfiedBy: { status: 200, json: { info: { key_alias: service, models: [], ...budget } } },
        apply: [{ ...post("/key/update", { key, models: [], ...budget }), ok: [200] }],
      },
    ];
  });
}
