import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { cannotInstall, ensureDebianFiles, parseOsRelease } from "../../../toolchain/debian.ts";
import { useScratch } from "./fixtures.ts";

const DEBIAN = { debian: true, name: "Debian GNU/Linux 12 (bookworm)" };

describe("Debian", () => {
  const scratch = useScratch();

  test.each([
    ['PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n', DEBIAN],
    ['ID=ubuntu\nID_LIKE=debian\nPRETTY_NAME="Ubuntu 24.04"', { debian: true, name: "Ubuntu 24.04" }],
    ['ID="rocky"\nID_LIKE="rhel centos fedora"\nPRETTY_NAME="Rocky Linux 9"', { debian: false, name: "Rocky Linux 9" }],
    ["", { debian: false, name: process.platform }],
  ])("is told by /etc/os-release: %j", (text, expected) => {
    expect(parseOsRelease(text)).toEqual(expected);
  });

  test("root installs", () => {
    expect(cannotInstall(["mmdebstrap"], "VPS images", { ...DEBIAN, root: true })).toBeUndefined();
  });

  test("others are told the exact line", () => {
    expect(cannotInstall(["a", "b"], "VPS images", { ...DEBIAN, root: false })?.message).toBe(
      "a, b: not installed, and this user is not root\n  allowed: VPS images\n" +
        "  do: run: sudo apt-get update && sudo apt-get install -y a b",
    );
    expect(cannotInstall(["a"], "VPS images", { debian: false, name: "Rocky Linux 9", root: true })?.message).toBe(
      "a: not installed, and this is no Debian (Rocky Linux 9)\n  allowed: VPS images\n" +
        "  do: install a by the means of your system, or use a Debian 12 or 13 machine",
    );
  });

  test("files that are installed are taken where they are", async () => {
    expect(await ensureDebianFiles("coreutils", ["/bin/ls"], () => undefined)).toBe("/");
  });

  test("files come out of a package that is not installed, once", async () => {
    scratch.program(
      "apt-get",
      `echo "$@" >> ${join(scratch.dir, "calls")}; for word; do last=$word; done; echo > "$last"_1_all.deb`,
    );
    scratch.program("dpkg-deb", 'mkdir -p "$3/usr/bin" && echo tool > "$3/usr/bin/no-such-tool"');
    const lines: string[] = [];
    const get = (): Promise<string> => ensureDebianFiles("tool", ["/usr/bin/no-such-tool"], (line) => lines.push(line));
    const root = await get();
    expect(readFileSync(join(root, "usr/bin/no-such-tool"), "utf8")).toBe("tool\n");
    expect(await get()).toBe(root);
    expect(lines).toEqual(["fetching tool from Debian"]);
    expect(existsSync(join(scratch.dir, "calls"))).toBe(true);
  });

  test("a package without the wanted file is an error", async () => {
    scratch.program("apt-get", 'for word; do last=$word; done; echo > "$last"_1_all.deb');
    scratch.program("dpkg-deb", "exit 0");
    await expect(ensureDebianFiles("tool", ["/usr/bin/no-such-tool"], () => undefined)).rejects.toThrow(
      "tool_1_all.deb does not contain /usr/bin/no-such-tool",
    );
  });
});
