import { expect, test } from "@jest/globals";
import {
  announceLeave,
  keptLines,
  leaveFault,
  leaveLines,
  refusalOf,
  type LeaveChoice,
} from "../../../../ops/deletion/existing-plan.ts";

const choice = (more: Partial<LeaveChoice> = {}): LeaveChoice => ({ keep: false, withData: false, ...more });
const existing = { existing: true, canAsk: false };

test.each<[string, LeaveChoice, { existing: boolean; canAsk: boolean; allowDelete?: string }, string | undefined]>([
  ["nothing asked for", choice(), existing, undefined],
  ["--keep", choice({ keep: true }), existing, undefined],
  ["data, without a terminal", choice({ withData: true }), existing, "--with-data"],
  ["data, at a terminal that can ask", choice({ withData: true }), { ...existing, canAsk: true }, undefined],
  ["data, named in CI", choice({ withData: true }), { ...existing, allowDelete: "prod" }, undefined],
  [
    "data, with another stack's name",
    choice({ withData: true }),
    { ...existing, allowDelete: "preprod" },
    "--with-data",
  ],
  ["both", choice({ keep: true, withData: true }), existing, "--keep and --with-data"],
  ["--keep at Hetzner", choice({ keep: true }), { existing: false, canAsk: true }, "--keep"],
  [
    "data at Hetzner",
    choice({ withData: true }),
    { existing: false, canAsk: true, allowDelete: "prod" },
    "--with-data",
  ],
  ["nothing asked for at Hetzner", choice(), { existing: false, canAsk: false }, undefined],
])("%s is refused as: %s", (_, wanted, facts, key) => {
  expect(leaveFault("prod", wanted, facts)?.key).toBe(key);
});

test("what will happen to the server is said before the question", () => {
  expect(
    [choice(), choice({ withData: true }), choice({ keep: true })].flatMap((each) => announceLeave("prod", each)),
  ).toEqual([
    "all resources of stack prod will be deleted; files with secrets, images and what was installed are removed from the server, data stays",
    "all resources of stack prod will be deleted; files with secrets, images and what was installed are removed from the server, AND ALL DATA (--with-data)",
    "all resources of stack prod will be deleted; its files, secrets among them, and all that was installed stay on the server (--keep)",
  ]);
});

test("the end says what is left, and how to remove it", () => {
  const answer = {
    removed: ["/opt/vpai/config", "/usr/local/lib/vpai"],
    data: { path: "/opt/vpai/data", size: "1.2G" },
    left: ["the user deploy, which was there before, without its key: deluser --remove-home deploy"],
    access: "goes; root's own stays, on port 22",
  };
  expect(leaveLines("prod", answer).join("\n"))
    .toBe(`removed from the server of stack prod: /opt/vpai/config, /usr/local/lib/vpai
the user deploy, its key and its port of sshd: goes; root's own stays, on port 22
left on the server:
  data, 1.2G, at /opt/vpai/data; what is encrypted in it needs the stack's permanent secrets. As root: rm -r /opt/vpai /var/lib/vpai
  the user deploy, which was there before, without its key: deluser --remove-home deploy
  Debian's packages, which other software may need: apt-get purge docker.io apparmor tini`);
  expect(leaveLines("prod", { ...answer, removed: [], data: null, left: [] })).toEqual([
    "removed from the server of stack prod: nothing",
    "the user deploy, its key and its port of sshd: goes; root's own stays, on port 22",
    "left on the server:",
    "  Debian's packages, which other software may need: apt-get purge docker.io apparmor tini",
  ]);
  expect(keptLines("prod").at(-1)).toBe("  remove them: `vpai destroy --stack prod` again, without --keep");
});

test.each([
  ["deploy@192.0.2.7: Permission denied (publickey).", "key"],
  ["ssh: connect to host 192.0.2.7 port 2222: Connection refused", "port"],
  ["ssh: connect to host 192.0.2.7 port 2222: Connection timed out", undefined],
  ["ssh: connect to host 192.0.2.7 port 2222: No route to host", undefined],
  ["kex_exchange_identification: Connection closed by remote host", undefined],
  ["Host key verification failed.", undefined],
  ["", undefined],
])("of a login that ends with %j the server itself refuses: %s", (stderr, refused) => {
  expect(refusalOf(stderr)).toBe(refused);
});
