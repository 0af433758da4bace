import { describe, expect, test } from "@jest/globals";
import {
  availableAt,
  candidates,
  chooseOffer,
  offerText,
  parseOffer,
  refusedOffers,
} from "../../../components/vps/hetzner/choose-offer.ts";

describe("what is ordered", () => {
  const at = (...places: string[]) => places.map((name) => ({ name, available: true }));
  const types = [
    { name: "cx23", locations: [{ name: "fsn1", available: false }] },
    { name: "cx33", locations: at("fsn1", "nbg1") },
    { name: "cx43", locations: at("fsn1") },
    { name: "cpx22", locations: at("hel1") },
  ];
  const wanted = (list: string, locations = "fsn1") => ({ types: list.split(" "), locations: locations.split(" ") });

  test("what a location has", () => {
    expect(availableAt(types, "fsn1")).toEqual(["cx33", "cx43"]);
  });

  test("each type at the first location, then each at the next", () => {
    expect(candidates(wanted("cx33 cx43", "fsn1 nbg1")).map(offerText)).toEqual([
      "cx33 at fsn1",
      "cx43 at fsn1",
      "cx33 at nbg1",
      "cx43 at nbg1",
    ]);
  });

  test.each<[string, ReturnType<typeof wanted>, string[], string]>([
    ["the first that is available", wanted("cx23 cx33"), [], "cx33 at fsn1"],
    ["not one that was refused", wanted("cx33 cx43"), ["cx33 at fsn1"], "cx43 at fsn1"],
    ["another type before another location", wanted("cx33 cx43", "fsn1 nbg1"), ["cx33 at fsn1"], "cx43 at fsn1"],
    ["then the next location", wanted("cx23 cx33", "fsn1 nbg1"), ["cx33 at fsn1"], "cx33 at nbg1"],
    ["where the type is sold at all", wanted("cpx22", "fsn1 hel1"), [], "cpx22 at hel1"],
  ])("%s", (_name, each, refused, offer) => {
    const choice = chooseOffer(each, types, refused);
    expect("offer" in choice && offerText(choice.offer)).toBe(offer);
  });

  test.each<[string, ReturnType<typeof wanted>, string[], string, string]>([
    ["sold out", wanted("cx23"), [], "cx23: sold out at fsn1", "available at fsn1: cx33, cx43"],
    ["refused", wanted("cx33"), ["cx33 at fsn1"], "cx33: sold out at fsn1", "available at fsn1: cx43"],
    ["unknown", wanted("cx99"), [], "cx99: no such server type", "available at fsn1: cx33, cx43"],
    ["nothing left", wanted("cx23", "ash"), [], "cx23: sold out at ash", "nothing: ash is sold out"],
    [
      "at two locations",
      wanted("cx23", "fsn1 nbg1"),
      [],
      "cx23: sold out at fsn1, nbg1",
      "available at fsn1: cx33, cx43; available at nbg1: cx33",
    ],
  ])("%s", (_name, each, refused, found, allowed) => {
    expect(chooseOffer(each, types, refused)).toEqual({
      fault: {
        key: "vpai:vps.serverType",
        found,
        allowed,
        fix: "`pulumi config set --path vpai:vps.serverType <type>`, or add `vpai:vps.serverTypeFallbacks` or `vpai:vps.locationFallbacks`",
      },
    });
  });

  test("an offer as text, there and back; the output of an older preflight names no offer", () => {
    expect(parseOffer("cx33 at fsn1\n")).toEqual({ type: "cx33", location: "fsn1" });
    expect(parseOffer("cx33")).toBeUndefined();
    expect(refusedOffers({ VPAI_REFUSED_OFFERS: "cx33 at fsn1,cx43 at fsn1" })).toEqual([
      "cx33 at fsn1",
      "cx43 at fsn1",
    ]);
    expect(refusedOffers({})).toEqual([]);
  });
});
