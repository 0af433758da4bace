import { createHash, X509Certificate } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";

export interface OpenBrowser {
  readonly context: BrowserContext;
  close(): Promise<void>;
}

/** `--ignore-certificate-errors-spki-list` of one certificate: its key is trusted, and no other. */
export function spkiPin(pem: string): string {
  const key = new X509Certificate(pem).publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(key).digest("base64");
}

/**
 * Debian's Chromium with an empty profile. It finds `domain` and what is below it on this machine, and nothing else
 * anywhere; it trusts certificates that were issued with the key of `issuerPem`.
 */
export async function openBrowser(domain: string, issuerPem: string): Promise<OpenBrowser> {
  const profile = await mkdtemp(join(tmpdir(), "vpai-browser-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: "/usr/bin/chromium",
    headless: true,
    viewport: { width: 1280, height: 800 },
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      `--host-resolver-rules=MAP ${domain} 127.0.0.1, MAP *.${domain} 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`,
      `--ignore-certificate-errors-spki-list=${spkiPin(issuerPem)}`,
    ],
  });
  return {
    context,
    async close() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
