import { runCli } from "../../ops/cli/run.ts";

// Started by VpaiProcess: runs each command line that it is sent, and answers with what that printed and its exit code.

const env = { ...process.env };

process.on("message", (command: { readonly args: readonly string[]; readonly env: Record<string, string> }) => {
  void answer(command).then((result) => process.send?.(result));
});

async function answer(command: { readonly args: readonly string[]; readonly env: Record<string, string> }) {
  const texts = { stdout: "", stderr: "", output: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    process[stream].write = (text: string | Uint8Array): boolean => {
      texts[stream] += String(text);
      texts.output += String(text);
      return true;
    };
  }
  process.env = { ...env, ...command.env };
  process.exitCode = undefined;
  const code = await runCli([process.execPath, "vpai", ...command.args]);
  process.exitCode = undefined;
  return { code, ...texts };
}
