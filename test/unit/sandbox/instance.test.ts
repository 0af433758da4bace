import { describe, expect, test } from "@jest/globals";
import { instanceOf } from "../../../sandbox/supervisor/instance.ts";
import { explicitSubnet, firstFreeSubnet, hostAddress, overlaps } from "../../../sandbox/network/subnet.ts";
import { explicitPort, startForwarder } from "../../../sandbox/network/forwarder.ts";
import { expectSubnet } from "../../../sandbox/network/network.ts";

describe("the names of an instance", () => {
  test("differ between two clones and between two instances of one", () => {
    const three = [instanceOf("sandbox", "/a"), instanceOf("sandbox", "/b"), instanceOf("test-1", "/a")];
    for (const key of ["prefix", "label", "bridge", "chain"] as const) {
      expect(new Set(three.map((instance) => instance[key])).size).toBe(3);
    }
  });

  test("fit what the kernel allows, however long the instance's is", () => {
    const instance = instanceOf("a".repeat(24), "/some/clone");
    expect(instance.bridge.length).toBeLessThanOrEqual(15);
    expect(instance.chain).toMatch(/^VPAI-[0-9a-f]{8}$/);
    expect(instance.prefix).toMatch(/^vpai-[0-9a-f]{6}-a{24}$/);
  });

  test.each(["", "Big", "../up", "a b", "1st", "a".repeat(25)])("are not made of %j", (name) => {
    expect(() => instanceOf(name, "/a")).toThrow("1 to 24 of a-z, 0-9 and -");
  });
});

describe("the subnet", () => {
  test.each([
    ["10.213.0.0/24", "10.213.0.0/16", true],
    ["10.213.1.0/24", "10.213.0.0/24", false],
    ["10.213.1.0/24", "10.213.1.77", true],
    ["10.213.1.0/24", "0.0.0.0/0", true],
    ["10.213.1.0/24", "fe80::/64", false],
  ])("%s and %s overlap: %s", (a, b, expected) => {
    expect(overlaps(a, b)).toBe(expected);
    expect(overlaps(b, a)).toBe(expected);
  });

  test("is the first one that nothing uses", () => {
    expect(firstFreeSubnet([])).toBe("10.213.0.0/24");
    const taken = ["10.213.0.0/24", "10.213.1.128/25", "10.213.3.0/24"].map((cidr) => ({ cidr, by: "x" }));
    expect(firstFreeSubnet(taken)).toBe("10.213.2.0/24");
  });

  test("is an error when everything is in use", () => {
    expect(() => firstFreeSubnet([{ cidr: "10.0.0.0/8", by: "a route" }])).toThrow("VPAI_SANDBOX_SUBNET");
  });

  test("asked for by name is an error that says who has it", () => {
    const taken = [{ cidr: "10.213.7.0/24", by: "the Docker network other" }];
    expect(() => explicitSubnet("10.213.7.0/24", taken)).toThrow(
      [
        "VPAI_SANDBOX_SUBNET: 10.213.7.0/24 is in use by the Docker network other (10.213.7.0/24)",
        "  allowed: a private IPv4 /24 that nothing on this machine uses, such as 10.213.7.0/24",
        "  do: unset it to have a free one chosen, or free the range",
      ].join("\n"),
    );
    expect(explicitSubnet("10.213.8.0/24", taken)).toBe("10.213.8.0/24");
  });

  test.each(["10.213.7.0", "10.213.7.1/24", "8.8.8.0/24", "10.213.0.0/16", "ten"])("cannot be %s", (wanted) => {
    expect(() => explicitSubnet(wanted, [])).toThrow("a private IPv4 /24");
  });

  test("cannot be changed under a sandbox that is up", () => {
    expect(() => expectSubnet("10.213.9.0/24", "10.213.0.0/24")).toThrow("this sandbox is up in 10.213.0.0/24");
    expect(() => expectSubnet(undefined, "10.213.0.0/24")).not.toThrow();
  });

  test("numbers its hosts", () => {
    expect(hostAddress("10.213.9.0/24", 10)).toBe("10.213.9.10");
  });
});

describe("the port on this machine", () => {
  test.each(["0", "65536", "https", "8443.5"])("cannot be %s", (value) => {
    expect(() => explicitPort(value)).toThrow("a number from 1 to 65535");
  });

  test("asked for by name is an error when it is taken, and otherwise makes way", async () => {
    const target = () => Promise.resolve(undefined);
    const first = await startForwarder({ target });
    try {
      await expect(startForwarder({ target, explicitPort: first.port })).rejects.toThrow(
        `VPAI_SANDBOX_PORT: 127.0.0.1:${first.port} is in use by another process`,
      );
      const second = await startForwarder({ target, lastPort: first.port });
      expect(second.port).not.toBe(first.port);
      await second.close();
    } finally {
      await first.close();
    }
  });
});
