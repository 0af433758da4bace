import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Page } from "playwright-core";
import { type OpenBrowser, openBrowser } from "../support/browser.ts";
import { ConvergedServer } from "../support/converged.ts";

// The printed links in a real browser: each opens the product's own page, and the printed credentials sign in there.

const MINUTE = 60_000;
const DOMAIN = "vpai.localhost";
/** Caddy's own authority: what signed the certificates that it serves. */
const ISSUER = "/opt/vpai/data/caddy/data/caddy/pki/authorities/local/intermediate.crt";

/** A row of `vpai output --json`. */
interface Access {
  readonly service: string;
  readonly address: string;
  readonly user?: string;
  readonly password?: string;
  readonly key?: string;
}

let server: ConvergedServer;
let browser: OpenBrowser;
let rows: readonly Access[];

beforeAll(async () => {
  server = await ConvergedServer.open();
  const { checkout, stack } = server;
  const printed = await checkout.expectVpai(["output", "--stack", "sandbox", "--json", "--show-secrets"]);
  rows = JSON.parse(printed) as readonly Access[];
  browser = await openBrowser(DOMAIN, await stack.onServer(`cat ${ISSUER}`));
}, 30 * MINUTE);

afterAll(async () => {
  await browser?.close();
  await server?.closeUnchanged();
});

function access(service: string): Required<Access> {
  const row = rows.find((each) => each.service === service);
  if (!row) throw new Error(`vpai output has no row for ${service}: ${rows.map((each) => each.service).join(", ")}`);
  return { user: "none is printed", password: "none is printed", key: "none is printed", ...row };
}

async function open(address: string): Promise<Page> {
  const page = await browser.context.newPage();
  page.setDefaultTimeout(MINUTE);
  await page.goto(address, { timeout: MINUTE });
  return page;
}

/** Kept in the folder that VPAI_SCREENSHOTS names, for a person to look at. */
async function screenshot(page: Page, name: string): Promise<void> {
  const folder = process.env["VPAI_SCREENSHOTS"];
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

test(
  "n8n lets its owner in with the printed address and password",
  async () => {
    const { address, user, password } = access("n8n");
    const page = await open(address);
    await page.locator("input[name=emailOrLdapLoginId]").fill(user);
    await page.locator("input[name=password]").fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL((url) => !url.pathname.includes("signin"));
    expect(await page.title()).toContain("n8n");
    await screenshot(page, "n8n");
  },
  3 * MINUTE,
);

test(
  "LiteLLM's page lets the printed user in",
  async () => {
    const { address, user, password } = access("litellm");
    const page = await open(`${address}ui/`);
    await page.locator("input:not([type=password])").first().fill(user);
    await page.locator("input[type=password]").fill(password);
    await page.getByRole("button", { name: "Login", exact: true }).click();
    await page.getByText("Virtual Keys").first().waitFor();
    expect(new URL(page.url()).protocol).toBe("https:");
    await screenshot(page, "litellm");
  },
  3 * MINUTE,
);

test(
  "OpenClaw takes the printed key, and connects once the browser is approved on the server",
  async () => {
    const { address, key } = access("openclaw");
    const page = await open(address);
    await page.locator("#login-gate-credential").fill(key);
    await page.locator("button.login-gate__connect").click();
    const command = await page
      .getByText(/openclaw devices approve [0-9a-f-]+/)
      .first()
      .innerText();
    const [id] = /[0-9a-f-]{36}/.exec(command) ?? [];
    await server.stack.onServer(`docker exec openclaw sh /etc/vpai/cli.sh devices approve ${id}`);
    await page.getByText("Connected").first().waitFor();
    expect(await page.getByText("Approve this browser").count()).toBe(0);
    await screenshot(page, "openclaw");
  },
  3 * MINUTE,
);
