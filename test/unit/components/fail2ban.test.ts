import { expect, test } from "@jest/globals";
import { planFail2ban } from "../../../components/host/software/fail2ban.ts";
import { parseHostSoftware, renderHostSoftware } from "../../../components/host/software/model.ts";

const LOG = {
  service: "edge",
  path: "/opt/vpai/data/edge/log/access.log",
  owner: { uid: 1000, gid: 1000 },
  refusal: '^refused "<ADDR>"$',
  time: "%Y-%m-%d",
  limit: 30,
};

const SSHD = `[sshd]
enabled = true
ignoreip = 127.0.0.0/8 ::1 172.20.0.0/16 100.64.0.0/10
maxretry = 8
findtime = 600
bantime = 600
bantime.increment = true
bantime.maxtime = 86400
action = nftables[actname=input, name=%(__name__)s, type=allports, protocol="tcp", table=vpai-bans-input, chain_hook=input, blocktype="reject with icmpx type admin-prohibited"]
         nftables[actname=forward, name=%(__name__)s, type=allports, protocol="tcp,udp", table=vpai-bans-forward, chain_hook=forward, blocktype="reject with icmpx type admin-prohibited"]
backend = systemd
journalmatch = _SYSTEMD_UNIT=ssh.service
mode = aggressive`;

test("sshd has a jail that reads the journal; trusted ranges, loopback and containers are never banned", () => {
  const { files, logs, units, packages } = planFail2ban({ trusted: ["100.64.0.0/10"], logs: [] });
  expect(files).toEqual([
    { path: "/etc/fail2ban/jail.d/vpai.local", mode: "0644", content: `# Written by vpai.\n\n${SSHD}\n` },
  ]);
  expect([logs, units, packages]).toEqual([[], ["fail2ban"], ["fail2ban", "nftables", "python3-systemd"]]);
});

test("a service's log has a jail with a filter of its own, and is there before fail2ban looks for it", () => {
  const { files, logs } = planFail2ban({ trusted: [], logs: [LOG] });
  const [jails, filter] = files;
  expect(jails?.content).toContain("\n\n[vpai-edge]\nenabled = true\n");
  expect(jails?.content).toMatch(
    /maxretry = 30\n[^]*\nbackend = polling\nfilter = vpai-edge\nlogpath = \/opt\/vpai\/data\/edge\/log\/access\.log\n$/,
  );
  expect(filter).toEqual({
    path: "/etc/fail2ban/filter.d/vpai-edge.conf",
    mode: "0644",
    content: '# Written by vpai.\n[Definition]\nfailregex = ^refused "<ADDR>"$\ndatepattern = %%Y-%%m-%%d\n',
  });
  expect(logs).toEqual([{ path: LOG.path, owner: LOG.owner }]);
});

test("each jail proves itself: an address that no client has is banned, seen in both tables, and let in again", () => {
  const { proofs } = planFail2ban({ trusted: [], logs: [LOG] });
  expect(proofs.map(({ argv, expect: wanted }) => [argv.join(" "), wanted])).toEqual(
    ["sshd", "vpai-edge"].flatMap((jail) => [
      [`fail2ban-client set ${jail} banip 192.0.2.1`, undefined],
      [`nft list set inet vpai-bans-input addr-set-${jail}`, String.raw`192\.0\.2\.1`],
      [`nft list set inet vpai-bans-forward addr-set-${jail}`, String.raw`192\.0\.2\.1`],
      [`fail2ban-client set ${jail} unbanip 192.0.2.1`, undefined],
    ]),
  );
});

test("what the script on the server is called with reads back from the state", () => {
  const software = planFail2ban({ trusted: [], logs: [LOG] });
  expect(parseHostSoftware(renderHostSoftware("def main(text): pass", software))).toEqual(software);
  expect(() => parseHostSoftware("print(1)")).toThrow("no line with SOFTWARE");
});
