import { alert, defineService, httpHealth, notApplicable } from "../../service/presets/index.ts";
import { images } from "../../images.ts";

const SOCKET = "/var/run/docker.sock";

/** Docker's API for Alloy: what it asks to find containers and read their logs, and nothing that changes anything. */
export const socketProxy = defineService({
  name: "socket-proxy",
  image: images["socket-proxy"],
  networks: ["socket"],
  port: 2375,
  user: {
    uid: 0,
    gid: 0,
    rootReason:
      "the socket belongs to root and to a group whose number differs from host to host; no capability is left to it",
  },
  hostMounts: [{ source: SOCKET, target: SOCKET, why: "to filter it is what this service is for" }],
  environment: () => ({
    CONTAINERS: "1",
    // Newer builds separate logs from CONTAINERS, and answer 403 without this variable.
    ALLOW_LOGS: "1",
    NETWORKS: "1",
    INFO: "1",
    VERSION: "1",
    EVENTS: "1",
    PING: "1",
    POST: "0",
    // Its networks have no IPv6, and a kernel without it would keep `[::]` from being listened on.
    DISABLE_IPV6: "1",
    // Without a line for each of Alloy's questions.
    LOG_LEVEL: "notice",
  }),
  // Through to the daemon: a socket that went away is found too.
  health: httpHealth(2375, "/_ping", { startPeriodSeconds: 15, deadlineSeconds: 60 }),
  // Where the entrypoint writes the configuration that it makes, and where HAProxy keeps its process id.
  tmpfs: { "/tmp": "rw,noexec,nosuid,size=1m", "/run": "rw,noexec,nosuid,size=1m" },
  pids: 32,
  memory: { requestMb: 28, limitMb: 48 },
  cpus: 0.25,
  stopGraceSeconds: 10,
  metrics: notApplicable(
    "the image has HAProxy's exporter off, and its network is for Alloy's questions to Docker alone",
  ),
  alerts: [
    alert(
      "warning",
      "SocketProxyGone",
      'absent_over_time(container_last_seen{name="socket-proxy"}[5m])',
      5,
      "Alloy cannot ask Docker: new containers' logs do not reach Loki. See `docker logs socket-proxy`",
    ),
  ],
  backup: notApplicable("it keeps nothing"),
  smoke: [
    {
      name: "containers can be listed",
      exec: ["wget", "-q", "-O", "-", "http://127.0.0.1:2375/containers/json"],
      prints: /^\[\{"Id":/,
    },
    {
      name: "volumes cannot",
      exec: ["sh", "-c", "wget -O /dev/null http://127.0.0.1:2375/volumes 2>&1 || true"],
      prints: /403 Forbidden/,
    },
  ],
  upgrade:
    "Look for new variables in its README: a section of the API that was part of another may have become one of its own, " +
    "closed until it is named.",
});
