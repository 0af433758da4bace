import { expect, test } from "@jest/globals";
import {
  bytes,
  planPrune,
  renderPlan,
  repositoryOf,
  type ServerImage,
  type ServerImages,
} from "../../../../ops/images/prune-plan.ts";

const ours = new Set(["docker.io/n8nio/n8n", "docker.io/library/redis", "ghcr.io/berriai/litellm"]);
const digest = (letter: string): string => `sha256:${letter.repeat(64)}`;
const image = (id: string, repository: string, day = 1, tags: readonly string[] = []): ServerImage => ({
  id,
  digests: [`${repository}@${digest(id)}`],
  tags,
  created: `2026-11-0${day}T00:00:00Z`,
  size: 400e6,
});
const n8n = (id: string, day = 1): ServerImage => image(id, "n8nio/n8n", day);
const runs = (service: string | null, id: string) => ({ service, image: id });
const removed = (server: ServerImages): string[] => planPrune(server, ours).remove.map(({ id }) => id);

test("the present image and the one that it ran before stay; an older one goes", () => {
  const plan = planPrune(
    {
      containers: [runs("n8n", "c"), runs("redis", "d")],
      images: [n8n("a"), n8n("b"), n8n("c"), image("d", "redis")],
      record: { n8n: { present: "b", previous: "a" }, redis: { present: "d" } },
    },
    ours,
  );
  expect(plan).toEqual({
    remove: [{ id: "a", name: "docker.io/n8nio/n8n@sha256:aaaaaaaaaaaa", size: 400e6 }],
    keep: [{ service: "n8n", id: "b", name: "docker.io/n8nio/n8n@sha256:bbbbbbbbbbbb" }],
    record: { n8n: { present: "c", previous: "b" }, redis: { present: "d" } },
  });
});

test("a run that changed no image keeps the way back that there was", () => {
  const server = {
    containers: [runs("n8n", "c")],
    images: [n8n("a"), n8n("b"), n8n("c")],
    record: { n8n: { present: "c", previous: "b" } },
  };
  expect(removed(server)).toEqual(["a"]);
  expect(planPrune(server, ours).record).toEqual(server.record);
});

test("after the way back was taken, the newer image is the one before", () => {
  const server = {
    containers: [runs("n8n", "b")],
    images: [n8n("b"), n8n("c", 3)],
    record: { n8n: { present: "c", previous: "b" } },
  };
  expect(removed(server)).toEqual([]);
  expect(planPrune(server, ours).record).toEqual({ n8n: { present: "b", previous: "c" } });
});

test("without a record the newest of the same repository stays", () => {
  const images = [n8n("a", 1), n8n("b", 3), n8n("x", 2), n8n("c", 4), image("r", "redis", 9)];
  const server = { containers: [runs("n8n", "c")], images, record: {} };
  expect(removed(server)).toEqual(["a", "x", "r"]);
  expect(planPrune(server, ours).record).toEqual({ n8n: { present: "c", previous: "b" } });
});

test("what a container of another name uses, running or not, stays", () => {
  const server = { containers: [runs("n8n", "c"), runs(null, "a")], images: [n8n("a"), n8n("c")], record: {} };
  expect(removed(server)).toEqual([]);
});

test("images of another repository, without any, or with a tag are not ours", () => {
  const images = [
    image("p", "postgres"),
    image("t", "redis", 1, ["redis:7"]),
    { id: "l", digests: [], tags: [], created: "", size: 1 },
    image("e", "registry.example.org/n8nio/n8n"),
  ];
  expect(removed({ containers: [], images, record: {} })).toEqual([]);
});

test("a previous image that is no longer there is forgotten", () => {
  const server = { containers: [runs("n8n", "c")], images: [n8n("c")], record: { n8n: { present: "b" } } };
  expect(planPrune(server, ours)).toEqual({ remove: [], keep: [], record: { n8n: { present: "c" } } });
});

test("a service that was taken out keeps none", () => {
  const server = { containers: [], images: [n8n("a")], record: { n8n: { present: "a" } } };
  expect(planPrune(server, ours)).toMatchObject({ remove: [{ id: "a" }], record: {} });
});

test.each([
  ["redis@sha256:1", "docker.io/library/redis"],
  ["n8nio/n8n@sha256:1", "docker.io/n8nio/n8n"],
  ["docker.io/library/redis@sha256:1", "docker.io/library/redis"],
  ["ghcr.io/berriai/litellm@sha256:1", "ghcr.io/berriai/litellm"],
  ["localhost:5000/x@sha256:1", "localhost:5000/x"],
])("%s is of %s", (text, repository) => {
  expect(repositoryOf(text)).toBe(repository);
});

test("a dry run says what would go and what stays", () => {
  const server = {
    containers: [runs("n8n", "c")],
    images: [n8n("a"), n8n("b"), n8n("c")],
    record: { n8n: { present: "b" } },
  };
  expect(renderPlan(planPrune(server, ours))).toBe(
    "would remove  docker.io/n8nio/n8n@sha256:aaaaaaaaaaaa  400 MB\n" +
      "keeps         docker.io/n8nio/n8n@sha256:bbbbbbbbbbbb  the one before, of n8n\n",
  );
  expect(renderPlan({ remove: [], keep: [], record: {} })).toBe("no unused image\n");
  expect([bytes(1_440_000_000), bytes(12_345_678), bytes(0)]).toEqual(["1.4 GB", "12 MB", "0 MB"]);
});
