import { Argument, type Command } from "commander";
import type { ImageSource } from "../../sandbox/image-sources.ts";
import { examples, FULL_IS_DEFAULT, fullOption, imagesOption, instanceOption, stackOption } from "./parts.ts";

interface TestFlags {
  readonly full?: true;
  readonly images?: ImageSource;
  readonly write?: true;
}

export function addDevelopment(program: Command): void {
  program
    .command("doctor")
    .summary("diagnose the installation and show tool versions")
    .description(
      "Checks Node, Go, Docker, the engine and its plugins, disk, memory, sandbox and state; with a stack also its server, as `vpai drift` does. Exits 1 if it finds a problem, and prints the fix.",
    )
    .addOption(instanceOption())
    .addOption(stackOption().makeOptionMandatory(false))
    .addHelpText("after", examples("vpai doctor", "vpai doctor --stack prod"))
    .action(async ({ instance, stack }: { instance: string; stack?: string }) =>
      (await import("../doctor/doctor.ts")).runDoctor(instance, stack),
    );
  program
    .command("test")
    .summary("run the tests")
    .description("Runs the tests, layer after layer. The last line is `N passed, N failed`.")
    .addArgument(
      new Argument("[layers...]", "default: all").choices([
        "unit",
        "components",
        "program",
        "sandbox",
        "e2e",
        "stack",
        "go",
      ]),
    )
    .addHelpText(
      "after",
      examples(
        "vpai test",
        "vpai test unit     # seconds: unit, components, program",
        "vpai test e2e      # minutes: sandbox, stack, go",
        "vpai test stack    # the end-to-end tests alone",
        "vpai test --images upstream",
      ),
    )
    .addOption(fullOption())
    .addOption(imagesOption("the stack's tests alone, on images made here or pulled from the public registries"))
    .option("--write", "rewrite test/rendered as services are rendered now")
    .action(async (layers: string[], { full, images, write }: TestFlags) => {
      if (full === true) process.stderr.write(FULL_IS_DEFAULT);
      if (write === true) process.env["VPAI_WRITE_RENDERED"] = "1";
      if (images !== undefined) process.env["VPAI_TEST_IMAGES"] = images;
      await (await import("../dev/test.ts")).runTests(layers, images !== undefined);
    });
  program
    .command("lint")
    .summary("check types, style, scripts and derived files")
    .description(
      "Checks derived files, import cycles and terminology (ops/dev/words.ts); runs tsc, eslint, prettier, shellcheck and gofmt.",
    )
    .option("--write", "first bring the derived files up to date: Pulumi.yaml, docs/settings.md")
    .addHelpText("after", examples("vpai lint", "vpai lint --write"))
    .action(async ({ write }: { write?: true }) => (await import("../dev/lint.ts")).runLint(write === true));
  program
    .command("bench")
    .summary("measure")
    .description("Runs the benchmarks in bench/, or one of them.")
    .argument("[name]", "such as noop")
    .addHelpText("after", examples("vpai bench", "vpai bench noop"))
    .action(async (name: string | undefined) => (await import("../dev/bench.ts")).runBench(name));
  program
    .command("completion")
    .summary("print a shell's completion script")
    .description("Prints a completion script for `vpai`.")
    .addArgument(new Argument("<shell>").choices(["bash", "zsh", "fish"]))
    .addHelpText(
      "after",
      examples("vpai completion bash > /etc/bash_completion.d/vpai", 'eval "$(vpai completion zsh)"'),
    )
    .action(async (shell: "bash" | "zsh" | "fish") => {
      const { completionScript, treeOf } = await import("./completion.ts");
      process.stdout.write(completionScript(shell, treeOf(program)));
    });
}
