import { expect, test } from "@jest/globals";
import { planAccess } from "../../../components/service/plan/access.ts";
import { planRoutes } from "../../../components/service/plan/routes.ts";
import { accessTable, hideSecrets } from "../../../ops/services/access-table.ts";
import { DEFAULT_SERVICES as catalogue } from "../../support/core.ts";
import { testContext } from "../../support/context.ts";

const address = { domain: "ai.example.com", publicPort: 8443 };
const context = testContext({ ...address, routes: planRoutes(catalogue, address) });
const rows = planAccess(catalogue, context, (secret) => `<${secret}>`);

test("one row a service: its address with the port, and each value as it has to be typed", () => {
  expect(accessTable(rows))
    .toBe(`SERVICE     ADDRESS                                FOR     USER               PASSWORD                  KEY
postgresql  postgresql:5432                        inside  postgres           <postgresql-superuser>    -
qdrant      qdrant:6333                            inside  -                  -                         <qdrant-api-key>
n8n         https://n8n.ai.example.com:8443/       public  owner@example.com  <n8n-owner-password>      -
litellm     https://llm.ai.example.com:8443/       vpn     owner@example.com  <litellm-ui-password>     sk-<litellm-master-key>
openclaw    https://openclaw.ai.example.com:8443/  vpn     -                  -                         <openclaw-gateway-token>
grafana     https://grafana.ai.example.com:8443/   vpn     admin              <grafana-admin-password>  -
`);
});

test("hidden, no secret is left, and what has none is as before", () => {
  const hidden = accessTable(hideSecrets(rows));
  expect(hidden).not.toContain("<");
  expect(hidden).toMatch(/^postgresql .* postgres +\[secret\] +-$/m);
  expect(hideSecrets(rows).map(({ address, user }) => [address, user])).toEqual(
    rows.map(({ address, user }) => [address, user]),
  );
});
