import { createReadStream } from "node:fs";
import { request } from "node:http";
import { createHash } from "node:crypto";
import { pipeline } from "node:stream";

/** Something to be stored by its digest: a file, or bytes at hand. */
export interface Blob {
  readonly digest: string;
  readonly size: number;
  readonly content: { readonly file: string } | { readonly bytes: Buffer };
}

export function sha256(bytes: Buffer | string): string {
  return "sha256:" + createHash("sha256").update(bytes).digest("hex");
}

/** Uploads a blob unless the repository has it. The registry checks the digest. */
export async function pushBlob(registry: string, repository: string, blob: Blob): Promise<void> {
  const base = `http://${registry}/v2/${repository}/blobs`;
  const known = await fetch(`${base}/${blob.digest}`, { method: "HEAD" });
  if (known.status === 200) return;
  const begun = await fetch(`${base}/uploads/`, { method: "POST" });
  const location = begun.headers.get("location");
  if (begun.status !== 202 || location === null) throw await refused(`begin an upload to ${repository}`, begun);
  const target = new URL(location, `http://${registry}`);
  target.searchParams.set("digest", blob.digest);
  await putBlob(target, blob);
}

/** By node:http: a large file streams with its length known, which fetch does not offer. */
function putBlob(target: URL, blob: Blob): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/octet-stream", "content-length": blob.size };
    const sending = request(target, { method: "PUT", headers }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (part: string) => (body += part));
      response.once("end", () =>
        response.statusCode === 201
          ? resolve()
          : reject(new Error(`registry refused blob ${blob.digest}: ${response.statusCode} ${body.trim()}`)),
      );
    });
    sending.once("error", reject);
    if ("bytes" in blob.content) sending.end(blob.content.bytes);
    else {
      const file = createReadStream(blob.content.file);
      let answered = false;
      pipeline(file, sending, (error) => {
        if (error && !answered) reject(error);
      });
      // An answer before the end, such as one of a full disk, leaves the rest of the file unread.
      sending.once("response", () => {
        answered = true;
        file.destroy();
      });
    }
  });
}

/** Stores a manifest or an index under a tag, or under its own digest. */
export async function pushManifest(
  registry: string,
  repository: string,
  reference: string,
  mediaType: string,
  body: Buffer,
): Promise<void> {
  const answered = await fetch(`http://${registry}/v2/${repository}/manifests/${reference}`, {
    method: "PUT",
    headers: { "content-type": mediaType },
    body: new Uint8Array(body),
  });
  if (answered.status !== 201) throw await refused(`store the manifest ${repository}:${reference}`, answered);
  await answered.arrayBuffer();
}

/** Points a tag at an index that the repository has already. */
export async function tagManifest(registry: string, repository: string, digest: string, tag: string): Promise<void> {
  const accept = "application/vnd.oci.image.index.v1+json";
  const stored = await fetch(`http://${registry}/v2/${repository}/manifests/${digest}`, { headers: { accept } });
  if (stored.status !== 200) throw await refused(`read ${repository}@${digest}`, stored);
  await pushManifest(registry, repository, tag, accept, Buffer.from(await stored.arrayBuffer()));
}

async function refused(what: string, answered: Response): Promise<Error> {
  return new Error(`the sandbox registry refused to ${what}: ${answered.status} ${(await answered.text()).trim()}`);
}
