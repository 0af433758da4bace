import { busyboxBase } from "../../images/busybox.ts";
import type { Recipe } from "../../images/recipe.ts";
import { accounts } from "../../images/recipe.ts";
import { goFake } from "../fake.ts";

const fake = goFake("grafana");

/** A fake of Grafana. BusyBox below it, as Alpine is below upstream's: its health check needs wget. */
export const grafanaFake: Recipe = {
  name: "grafana",
  repositories: ["docker.io/grafana/grafana"],
  kind: "fake",
  folder: fake.folder,
  more: fake.more,
  async layers(report) {
    return Promise.all([busyboxBase(report), fake.program("usr/share/grafana/bin/grafana", report)]);
  },
  async finish() {
    const owner = { uid: 472, gid: 0, mode: 0o777 };
    return {
      entries: [
        ...accounts("grafana", 472, 0, "/usr/share/grafana"),
        { kind: "dir", path: "etc/grafana" },
        { kind: "dir", path: "var/lib/grafana", ...owner },
        { kind: "dir", path: "var/log/grafana", ...owner },
        { kind: "file", path: "run.sh", mode: 0o755, content: '#!/bin/sh\nexec grafana server "$@"\n' },
      ],
      config: {
        User: "472",
        Env: [
          "PATH=/usr/share/grafana/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
          "GF_PATHS_CONFIG=/etc/grafana/grafana.ini",
          "GF_PATHS_DATA=/var/lib/grafana",
          "GF_PATHS_HOME=/usr/share/grafana",
          "GF_PATHS_LOGS=/var/log/grafana",
          "GF_PATHS_PLUGINS=/var/lib/grafana/plugins",
          "GF_PATHS_PROVISIONING=/etc/grafana/provisioning",
        ],
        Entrypoint: ["/run.sh"],
        WorkingDir: "/usr/share/grafana",
        ExposedPorts: { "3000/tcp": {} },
      },
    };
  },
};
