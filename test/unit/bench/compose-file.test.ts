import { expect, test } from "@jest/globals";
import { renderComposeFile } from "../../../bench/support/compose-file.ts";

test("what runs on a host as a Compose file: options by Compose's names, `$` as it is, networks with their addresses", () => {
  const text = renderComposeFile({
    networks: [
      { name: "back", internal: true, options: { icc: "false" }, subnet: "172.20.2.0/24", gateway: "172.20.2.1" },
    ],
    services: [
      {
        name: "web",
        image: "web@sha256:bb",
        paths: [],
        options: {
          entrypoint: ["sh"],
          command: ["-c", "echo $HOME"],
          user: "1000:1000",
          env: { ARGS: "a=b" },
          restart_policy: "unless-stopped",
          init: true,
          network_mode: "bridge",
          networks: [{ name: "back" }],
          mounts: [{ type: "bind", source: "/opt/data/web", target: "/data", read_only: false }],
          published_ports: ["0.0.0.0:443:443/udp"],
          healthcheck: { test: ["CMD", "ask"], interval: "5s" },
          cap_drop: ["ALL"],
          capabilities: ["CAP_NET_BIND_SERVICE"],
          security_opts: ["no-new-privileges:true"],
          read_only: true,
          memory: "128M",
          memory_swap: "128M",
          cpus: 0.5,
          pids_limit: 64,
          cgroupns_mode: "host",
          log_driver: "json-file",
          log_options: { "max-file": "3" },
        },
      },
      {
        name: "node",
        image: "node@sha256:cc",
        paths: [],
        options: { network_mode: "host", networks: [{ name: "host" }], mounts: [], log_driver: "json-file" },
      },
    ],
  });
  expect(text).toBe(`services:
  web:
    container_name: web
    image: web@sha256:bb
    entrypoint:
      - sh
    command:
      - -c
      - echo $$HOME
    user: 1000:1000
    init: true
    cap_drop:
      - ALL
    read_only: true
    cpus: 0.5
    environment:
      ARGS: a=b
    restart: unless-stopped
    healthcheck:
      test:
        - CMD
        - ask
      interval: 5s
    cap_add:
      - CAP_NET_BIND_SERVICE
    security_opt:
      - no-new-privileges:true
    mem_limit: 128M
    memswap_limit: 128M
    pids_limit: 64
    cgroup: host
    ports:
      - 0.0.0.0:443:443/udp
    networks:
      - back
    volumes:
      - type: bind
        source: /opt/data/web
        target: /data
        read_only: false
    logging:
      driver: json-file
      options:
        max-file: "3"
  node:
    container_name: node
    image: node@sha256:cc
    network_mode: host
    logging:
      driver: json-file
networks:
  back:
    name: back
    internal: true
    driver_opts:
      icc: "false"
    ipam:
      config:
        - subnet: 172.20.2.0/24
          gateway: 172.20.2.1
`);
});
