import { debianBase, debianPackages } from "../../images/debian.ts";
import type { Recipe } from "../../images/recipe.ts";
import { goFake } from "../fake.ts";

const fake = goFake("litellm");

const drop: readonly RegExp[] = [
  /^usr\/lib\/python3\.\d+\/(test|idlelib|turtledemo|pydoc_data|lib2to3|ensurepip|unittest|tkinter)\//,
  /^usr\/(share\/(applications|pixmaps|python3?)|lib\/valgrind)\//,
];

const SCRIPT = `#!/bin/sh
exec litellm "$@"
`;

/** A fake of LiteLLM. Python is in the image, as in upstream's, for the health check; there is no curl and no wget. */
export const litellmFake: Recipe = {
  name: "litellm",
  repositories: ["ghcr.io/berriai/litellm"],
  kind: "fake",
  folder: fake.folder,
  more: fake.more,
  async layers(report) {
    const python = debianPackages({ name: "python", packages: ["python3"], drop }, report);
    return [await debianBase(report), await python, await fake.program("usr/local/bin/litellm", report)];
  },
  async finish() {
    return {
      entries: [
        ...["app", "app/docker"].map((path) => ({ kind: "dir", path }) as const),
        { kind: "file", path: "app/docker/prod_entrypoint.sh", mode: 0o755, content: SCRIPT },
      ],
      config: {
        Env: ["PATH=/app/.venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        Entrypoint: ["docker/prod_entrypoint.sh"],
        Cmd: ["--port", "4000"],
        WorkingDir: "/app",
        ExposedPorts: { "4000/tcp": {} },
      },
    };
  },
};
