import { mkdir, readFile, writeFile, rename, rm } from "node:fs/promises";
import { randomBytes, webcrypto } from "node:crypto";
import { isIP } from "node:net";
import { join } from "node:path";
import "reflect-metadata"; // @peculiar/x509 asks for it before it is loaded
import * as x509 from "@peculiar/x509";

/** A key and its certificate, both PEM. */
export interface Issued {
  readonly keyPem: string;
  /** The leaf followed by the CA's certificate, as a TLS server wants it. */
  readonly certPem: string;
}

/** The one authority that every machine of every sandbox on this cache trusts. */
export interface Ca {
  /** Path of the CA's certificate, PEM; to be copied into trust stores. */
  readonly certFile: string;
  readonly certPem: string;
  /** Makes a certificate for DNS names and IP addresses, valid a year; the first is its subject. */
  issue(names: readonly string[]): Promise<Issued>;
}

type CryptoKey = webcrypto.CryptoKey;

const algorithm = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;
const day = 86_400_000;

/** The CA of this cache; made when there is none (key mode 0600), reused ever after. */
export async function ensureCa(cacheDir: string): Promise<Ca> {
  x509.cryptoProvider.set(webcrypto);
  const home = join(cacheDir, "ca");
  const { key, cert } = await readCa(home).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    await makeCa(home);
    return readCa(home);
  });
  const certPem = cert.toString("pem") + "\n";
  return { certFile: join(home, "ca.crt"), certPem, issue: (names) => issue(names, key, cert, certPem) };
}

async function readCa(home: string): Promise<{ key: CryptoKey; cert: x509.X509Certificate }> {
  const [keyPem, certPem] = await Promise.all([
    readFile(join(home, "ca.key"), "utf8"),
    readFile(join(home, "ca.crt"), "utf8"),
  ]);
  const der = x509.PemConverter.decodeFirst(keyPem);
  const key = await webcrypto.subtle.importKey("pkcs8", der, algorithm, false, ["sign"]);
  return { key, cert: new x509.X509Certificate(certPem) };
}

/** Made aside and moved into place whole, so that two first runs at once end with one CA. */
async function makeCa(home: string): Promise<void> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: "CN=vpai sandbox CA",
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + 3650 * day),
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  const aside = `${home}.${process.pid}.${randomBytes(4).toString("hex")}`;
  await mkdir(aside, { recursive: true, mode: 0o700 });
  await writeFile(join(aside, "ca.key"), await keyPem(keys.privateKey), { mode: 0o600 });
  await writeFile(join(aside, "ca.crt"), cert.toString("pem") + "\n", { mode: 0o644 });
  await rename(aside, home).catch(async (error: NodeJS.ErrnoException) => {
    await rm(aside, { recursive: true });
    if (error.code !== "ENOTEMPTY" && error.code !== "EEXIST") throw error;
  });
}

async function issue(
  names: readonly string[],
  caKey: CryptoKey,
  caCert: x509.X509Certificate,
  caPem: string,
): Promise<Issued> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ["sign", "verify"]);
  const cert = await x509.X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: [{ CN: [names[0] ?? "sandbox"] }],
    issuer: caCert.subject,
    notBefore: new Date(Date.now() - day),
    notAfter: new Date(Date.now() + 365 * day),
    signingAlgorithm: algorithm,
    publicKey: keys.publicKey,
    signingKey: caKey,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? ("dns" as const) : ("ip" as const), value })),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(caCert),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { keyPem: await keyPem(keys.privateKey), certPem: cert.toString("pem") + "\n" + caPem };
}

async function keyPem(key: CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", key), "PRIVATE KEY") + "\n";
}

/** Positive and never the same: clients refuse two certificates of one issuer with one serial. */
function serial(): string {
  return "01" + randomBytes(15).toString("hex");
}
