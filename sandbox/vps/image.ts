import type Docker from "dockerode";
import { ensureDebianImage } from "../debian-image.ts";
import type { Ca } from "../network/ca.ts";

/** The image of a fresh server that trusts the CA, built if this machine has it not; returns its tag. */
export function ensureVpsImage(
  docker: Docker,
  ca: Pick<Ca, "certFile" | "certPem">,
  report: (line: string) => void,
): Promise<string> {
  const what = "a fresh Debian server (about a minute)";
  const image = { name: "debian-12", folder: import.meta.dirname, args: [ca.certFile], input: ca.certPem, what };
  return ensureDebianImage(docker, image, report);
}
