import { createHash } from "node:crypto";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { until } from "../../support/until.ts";
import { docker, logs } from "./container-harness.ts";
import { openProxy, UI_PASSWORD } from "./litellm-proxy.ts";

// The product itself: what is tested is what this repository adds to it, its image and its database engines.

const MINUTE = 60_000;
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
let proxy: Awaited<ReturnType<typeof openProxy>>;

beforeAll(async () => {
  proxy = await openProxy();
}, 20 * MINUTE);
beforeEach(() => {
  proxy.faults.clear();
  proxy.asked.length = 0;
});
afterAll(() => proxy.close(), MINUTE);

/** Spending is written every few seconds. */
const spent = (key: string): Promise<number> =>
  until("spending on the key", MINUTE, async () => {
    const { body } = await proxy.ask(`/key/info?key=${sha256(key)}`);
    const { spend } = (body as { info: { spend: number } }).info;
    return spend > 0 ? spend : undefined;
  });

test("is ready with its database, and asks nothing of a model or of the internet", async () => {
  expect((await proxy.ask("/health/readiness", undefined, "")).body).toMatchObject({
    status: "healthy",
    db: "connected",
  });
  expect(proxy.asked).toEqual([]);
  expect(await logs(proxy.container)).not.toMatch(/prisma.*(error|failed)/i);
});

test("its schema is that of all its migrations, each noted with the time at which it was done", async () => {
  const [count, unfinished, tables] = (
    await proxy.psql(
      `SELECT count(*), count(*) FILTER (WHERE finished_at IS NULL OR applied_steps_count <> 1),
         (SELECT count(*) FROM pg_tables WHERE schemaname = 'public') FROM _prisma_migrations`,
    )
  ).split("|");
  expect(Number(count)).toBeGreaterThan(150);
  expect(Number(tables)).toBeGreaterThan(70);
  expect(unfinished).toBe("0");
});

test("answers through each provider with certificates of the mounted bundle, and repeats an answer out of Redis", async () => {
  expect(await proxy.chat("claude", "One")).toMatchObject({ status: 200, body: { object: "chat.completion" } });
  expect((await proxy.chat("gpt", "Two")).status).toBe(200);
  expect(proxy.asked).toEqual(["anthropic: POST /v1/messages 200", "openai: POST /v1/chat/completions 200"]);
  const again = await proxy.chat("claude", "One");
  expect(again.status).toBe(200);
  expect(again.headers.get("x-litellm-cache-key")).toMatch(/^litellm:/);
  expect(proxy.asked).toHaveLength(2);
});

describe("a virtual key", () => {
  const [key, next] = ["sk-Client0123456789", "sk-Client9876543210"];
  const info = (its: string) => proxy.ask(`/key/info?key=${sha256(its)}`);

  test("is stored with its budget, and its name belongs to one key", async () => {
    expect((await info(key)).status).toBe(404);
    const wanted = { key, key_alias: "openclaw", models: [], max_budget: 0.0000001, budget_duration: "1d" };
    expect((await proxy.ask("/key/generate", wanted)).status).toBe(200);
    expect((await info(key)).body).toMatchObject({
      info: { key_alias: "openclaw", max_budget: 0.0000001, budget_duration: "1d", models: [], spend: 0 },
    });
    expect((await proxy.ask("/key/generate", { key: next, key_alias: "openclaw" })).status).toBe(400);
  });

  test(
    "is refused when its budget is spent, and goes on when it gets more",
    async () => {
      expect((await proxy.chat("claude", "Three", key)).status).toBe(200);
      expect(await spent(key)).toBeGreaterThan(0);
      const refused = await until("the refusal", MINUTE, async () => {
        const answer = await proxy.chat("claude", `Five ${Date.now()}`, key);
        return answer.status === 200 ? undefined : answer;
      });
      expect(refused).toMatchObject({ status: 429, body: { error: { type: "budget_exceeded" } } });
      expect((await proxy.ask("/key/update", { key, max_budget: 1 })).status).toBe(200);
      await until("an answer", MINUTE, async () =>
        (await proxy.chat("claude", `Six ${Date.now()}`, key)).status === 200 ? true : undefined,
      );
    },
    3 * MINUTE,
  );

  test("gives its name to the next", async () => {
    expect((await proxy.ask("/key/generate", { key: next, models: [] })).status).toBe(200);
    expect((await proxy.ask("/key/update", { key: next, key_alias: "openclaw" })).status).toBe(400);
    expect((await proxy.ask("/key/delete", { key_aliases: ["openclaw"] })).status).toBe(200);
    expect((await proxy.ask("/key/update", { key: next, key_alias: "openclaw" })).status).toBe(200);
    expect([(await info(key)).status, (await info(next)).status]).toEqual([404, 200]);
  });

  test(
    "has each of its requests logged with what it cost",
    async () => {
      const sql = `SELECT count(*) FROM "LiteLLM_SpendLogs" WHERE api_key = '${sha256(key)}' AND spend > 0`;
      await until("rows of spending", MINUTE, async () => (Number(await proxy.psql(sql)) >= 2 ? true : undefined));
      expect((await proxy.ask("/global/spend")).status).toBe(200);
    },
    2 * MINUTE,
  );
});

test("teams and users, whose rows refer to each other, are stored, listed and deleted", async () => {
  const user = await proxy.ask("/user/new", { user_email: "someone@example.org", user_role: "internal_user" });
  const { user_id } = user.body as { user_id: string };
  const members = [{ role: "user", user_id }];
  const made = await proxy.ask("/team/new", { team_alias: "first", max_budget: 5, members_with_roles: members });
  const { team_id } = made.body as { team_id: string };
  expect((await proxy.ask(`/team/info?team_id=${team_id}`)).body).toMatchObject({ team_info: { team_alias: "first" } });
  expect(JSON.stringify((await proxy.ask("/team/list")).body)).toContain(team_id);
  expect((await proxy.ask("/team/delete", { team_ids: [team_id] })).status).toBe(200);
  expect((await proxy.ask("/user/delete", { user_ids: [user_id] })).status).toBe(200);
});

test("the interface is there, and lets in who knows the password", async () => {
  expect(String((await proxy.ask("/ui/", undefined, "")).body)).toContain("LiteLLM");
  const login = { username: "admin@example.org", password: UI_PASSWORD };
  expect((await proxy.ask("/v2/login", login, "")).status).toBe(200);
  expect((await proxy.ask("/v2/login", { ...login, password: "wrong" }, "")).status).toBe(401);
});

test(
  "exposes its metrics without a key, the whole proxy's budget among them",
  async () => {
    await until("the budget", 2 * MINUTE, async () => {
      const found = await proxy.metric('litellm_user_max_budget_metric{user="litellm-proxy-budget"} 0.01');
      return found.length === 1 ? true : undefined;
    });
    for (const name of ["litellm_spend_metric_total", "litellm_cache_hits_metric_total", "litellm_deployment_state"]) {
      expect({ name, found: (await proxy.metric(name)).length > 0 }).toEqual({ name, found: true });
    }
  },
  3 * MINUTE,
);

test(
  "a second start applies no migration, and an engine that was killed is started again",
  async () => {
    const ledger = () => proxy.psql("SELECT count(*), max(finished_at) FROM _prisma_migrations");
    const before = await ledger();
    await proxy.restart();
    expect(await ledger()).toBe(before);
    const kill = `for p in /proc/[0-9]*; do [ "$(readlink $p/exe)" != /usr/local/bin/node ] || kill -KILL "\${p#/proc/}"; done`;
    await docker("exec", proxy.container, "sh", "-c", kill);
    await until("the database again", 2 * MINUTE, async () =>
      (await proxy.ask("/key/list")).status === 200 ? true : undefined,
    );
  },
  8 * MINUTE,
);

test(
  "does not start over half a schema",
  async () => {
    await proxy.psql(
      "UPDATE _prisma_migrations SET finished_at = NULL, logs = 'no space left' WHERE migration_name ~ '^2026'",
    );
    const { code, output } = await proxy.start({});
    expect({ code, output }).toEqual({ code: 2, output: expect.stringContaining("Database migration cannot proceed") });
    expect(output).toContain("P3009");
    await proxy.psql("UPDATE _prisma_migrations SET finished_at = now() WHERE finished_at IS NULL");
  },
  3 * MINUTE,
);
