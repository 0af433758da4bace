import { describe, expect, test } from "@jest/globals";
import { RunError, redact, run } from "../../../shared/exec.ts";

async function failure(...args: Parameters<typeof run>): Promise<RunError> {
  try {
    await run(...args);
  } catch (error) {
    if (error instanceof RunError) return error;
    throw error;
  }
  throw new Error("did not fail");
}

describe("running a program", () => {
  test("gives it stdin and environment, and gives back what it prints", async () => {
    const lines: string[] = [];
    const options = { input: "in\n", env: { WORD: "word" }, cwd: "/", onLine: (line: string) => lines.push(line) };
    const result = await run("sh", ["-c", 'cat; pwd; echo "$WORD" >&2'], options);
    expect(result).toEqual({ stdout: "in\n/", stderr: "word" });
    expect(lines.sort()).toEqual(["/", "in", "word"]);
  });

  test("has nothing on stdin unless it is given something", async () => {
    expect((await run("cat")).stdout).toBe("");
  });

  test("a failure says what ran, how it ended and what it said last", async () => {
    const error = await failure("sh", ["-c", "seq 1 30 >&2; exit 3"]);
    expect(error.exitCode).toBe(3);
    expect(error.message).toMatch(/^sh -c seq 1 30 >&2; exit 3: exit 3\n11\n12\n[\d\n]*30$/);
  });

  test("a failure shows no secret: neither the input, nor a line of it, nor what is named", async () => {
    const input = "first-line-secret\nsecond-line-secret\n";
    const error = await failure("sh", ["-c", "cat; echo 'named secret'; cat >&2; exit 1"], {
      input,
      secrets: ["named secret"],
    });
    const said = [error.message, error.stdout, error.stderr].join("\n");
    expect(said).not.toMatch(/line-secret|named secret/);
    expect(error.stdout).toBe("[secret]\n[secret]");
  });

  test("the longest secret goes first, and short words stay", () => {
    expect(redact("abcdefgh abcdef abc", ["abc", "abcdef", "abcdefgh"])).toBe("[secret] [secret] abc");
  });

  test("a missing program, a signal, too much time and an abort are told apart", async () => {
    expect(await failure("/no/such/program")).toMatchObject({
      message: "/no/such/program: not found",
      code: "ENOENT",
      exitCode: undefined,
    });
    expect((await failure("sh", ["-c", "kill -TERM $$"])).message).toContain("ended by SIGTERM");
    expect((await failure("sleep", ["60"], { timeoutMs: 20 })).message).toBe("sleep 60: took longer than 0.02 s");
    expect((await failure("sleep", ["60"], { signal: AbortSignal.abort() })).message).toBe("sleep 60: was ended");
  });
});
