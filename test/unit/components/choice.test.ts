import { describe, expect, test } from "@jest/globals";
import { availableAt, chooseServerType } from "../../../components/vps/hetzner/choose-type.ts";

describe("server type", () => {
  const at = (available: boolean) => [{ name: "fsn1", available }];
  const types = [
    { name: "cx23", locations: at(false) },
    { name: "cx33", locations: at(true) },
    { name: "cpx22", locations: [{ name: "hel1", available: true }] },
  ];
  const known = types.map(({ name }) => name);

  test("what a location has", () => {
    expect(availableAt(types, "fsn1")).toEqual(["cx33"]);
  });

  test("the first that is available", () => {
    expect(chooseServerType(["cx23", "cx33"], "fsn1", ["cx33"], known)).toEqual({ type: "cx33" });
  });

  test.each([
    ["sold out", ["cx23"], ["cx33"], "cx23: sold out at fsn1", "available at fsn1: cx33"],
    ["unknown", ["cx99"], ["cx33"], "cx99: no such server type", "available at fsn1: cx33"],
    ["nothing left", ["cx23"], [], "cx23: sold out at fsn1", "nothing: fsn1 is sold out"],
  ])("%s", (_name, wanted, available, found, allowed) => {
    expect(chooseServerType(wanted, "fsn1", available, known)).toEqual({
      fault: expect.objectContaining({ key: "vpai:vps.serverType", found, allowed }),
    });
  });
});
