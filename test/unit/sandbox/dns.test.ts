import { expect, test } from "@jest/globals";
import { answerDns } from "../../../sandbox/network/dns.ts";

const names = new Set(["ghcr.io"]);

function query(name: string, type: number): Buffer {
  const labels = name.split(".").map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
  const head = Buffer.from([0xab, 0xcd, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0]);
  return Buffer.concat([head, ...labels, Buffer.from([0, 0, type, 0, 1])]);
}

test("a known name is the gateway", () => {
  const answer = answerDns(query("GHCR.io", 1), names, "10.213.0.1");
  expect(answer?.toString("hex")).toBe(
    "abcd85800001000100000000" +
      "0447484352" +
      "02696f00" +
      "00010001" +
      "c00c00010001" +
      "0000003c" +
      "0004" +
      "0ad50001",
  );
});

test("a known name has no record of another type, which is not the same as no name", () => {
  const answer = answerDns(query("ghcr.io", 28), names, "10.213.0.1");
  expect(answer?.subarray(0, 12).toString("hex")).toBe("abcd85800001000000000000");
});

test("any other name does not exist", () => {
  const answer = answerDns(query("example.org", 1), names, "10.213.0.1");
  expect(answer?.subarray(0, 12).toString("hex")).toBe("abcd85830001000000000000");
});

test.each([
  ["nothing", Buffer.alloc(0)],
  ["a cut-off name", query("ghcr.io", 1).subarray(0, 17)],
  ["a label past the end", Buffer.concat([query("a.b", 1).subarray(0, 12), Buffer.from([60, 1, 2, 3, 4, 5, 6])])],
  ["an answer", Buffer.from(query("ghcr.io", 1).map((byte, index) => (index === 2 ? byte | 0x80 : byte)))],
])("%s is not answered", (_name, message) => {
  expect(answerDns(message, names, "10.213.0.1")).toBeUndefined();
});
