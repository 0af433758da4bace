import { describe, expect, test } from "@jest/globals";
import { describe as describeHost, type Inspected, parsePaths } from "../../../bench/support/inspected.ts";
import { listTasks, parseRecap, renderAnsibleCfg, renderPlaybook, voidRecap } from "../../../bench/support/playbook.ts";

const inspected: Inspected = {
  containers: [
    {
      Name: "/web",
      Created: "2026-11-01T10:00:00.0Z",
      Image: "sha256:aa",
      Config: {
        User: "1000:1000",
        Cmd: ["serve", "--quiet"],
        Entrypoint: ["sh"],
        Env: ["TZ=Etc/UTC", "ARGS=a=b", "PATH=/bin"],
        Labels: { "vpai.service": "web", "of.the": "image" },
        Healthcheck: { Test: ["CMD", "ask"], Interval: 5e9, Timeout: 5e9, StartPeriod: 90e9, Retries: 5 },
      },
      HostConfig: {
        Init: true,
        ReadonlyRootfs: true,
        NetworkMode: "bridge",
        CgroupnsMode: "host",
        RestartPolicy: { Name: "unless-stopped" },
        LogConfig: { Type: "json-file", Config: { "max-file": "3" } },
        CapAdd: ["CAP_NET_BIND_SERVICE"],
        CapDrop: ["ALL"],
        SecurityOpt: ["no-new-privileges:true"],
        Tmpfs: { "/tmp": "rw,size=16m" },
        PortBindings: { "443/udp": [{ HostIp: "0.0.0.0", HostPort: "443" }] },
        Memory: 134_217_728,
        MemorySwap: 134_217_728,
        NanoCpus: 500_000_000,
        PidsLimit: 64,
        Mounts: [
          { Source: "/opt/config/web", Target: "/etc/web", ReadOnly: true },
          { Source: "/opt/data/web", Target: "/data" },
        ],
      },
      NetworkSettings: { Networks: { front: {}, back: {} } },
    },
  ],
  images: [
    {
      Id: "sha256:aa",
      RepoDigests: ["web@sha256:bb"],
      Config: { Cmd: ["serve"], Env: ["PATH=/bin"], Labels: { "of.the": "image" } },
    },
  ],
  networks: [
    {
      Name: "back",
      Internal: true,
      Options: { icc: "false" },
      IPAM: { Config: [{ Subnet: "172.20.2.0/24", Gateway: "172.20.2.1" }] },
    },
  ],
  paths: [
    "f 400 1000 1000 /opt/config/web/web.conf",
    "d 700 1000 1000 /opt/config/web",
    "d 700 0 0 /opt/config/website",
    "d 700 1000 1000 /opt/data/web",
    "",
  ].join("\n"),
};

const PLAYBOOK = `- name: the stack
  hosts: all
  gather_facts: false
  become: true
  tasks:
    - name: networks
      community.docker.docker_network:
        name: "{{ item.name }}"
        driver: bridge
        internal: "{{ item.internal }}"
        driver_options: "{{ item.options }}"
        ipam_config:
          - subnet: "{{ item.subnet }}"
            gateway: "{{ item.gateway }}"
      loop:
        - name: back
          internal: true
          options:
            icc: "false"
          subnet: 172.20.2.0/24
          gateway: 172.20.2.1
    - name: "web: image"
      community.docker.docker_image:
        name: web@sha256:bb
        source: pull
    - name: "web: directories"
      ansible.builtin.file:
        path: "{{ item.path }}"
        state: directory
        owner: "{{ item.owner }}"
        group: "{{ item.group }}"
        mode: "{{ item.mode }}"
      loop:
        - path: /opt/config/web
          owner: "1000"
          group: "1000"
          mode: "0700"
        - path: /opt/data/web
          owner: "1000"
          group: "1000"
          mode: "0700"
    - name: "web: files"
      ansible.builtin.copy:
        src: files{{ item.path }}
        dest: "{{ item.path }}"
        owner: "{{ item.owner }}"
        group: "{{ item.group }}"
        mode: "{{ item.mode }}"
      loop:
        - path: /opt/config/web/web.conf
          owner: "1000"
          group: "1000"
          mode: "0400"
    - name: "web: container"
      community.docker.docker_container:
        name: web
        image: web@sha256:bb
        state: started
        entrypoint:
          - sh
        cgroupns_mode: host
        command:
          - serve
          - --quiet
        user: 1000:1000
        env:
          ARGS: a=b
          TZ: Etc/UTC
        restart_policy: unless-stopped
        init: true
        network_mode: bridge
        networks:
          - name: back
          - name: front
        mounts:
          - type: bind
            source: /opt/config/web
            target: /etc/web
            read_only: true
          - type: bind
            source: /opt/data/web
            target: /data
            read_only: false
        published_ports:
          - 0.0.0.0:443:443/udp
        healthcheck:
          test:
            - CMD
            - ask
          interval: 5s
          timeout: 5s
          start_period: 90s
          retries: 5
        capabilities:
          - CAP_NET_BIND_SERVICE
        cap_drop:
          - ALL
        security_opts:
          - no-new-privileges:true
        read_only: true
        tmpfs:
          - /tmp:rw,size=16m
        memory: 128M
        memory_swap: 128M
        cpus: 0.5
        pids_limit: 64
        log_driver: json-file
        log_options:
          max-file: "3"
        labels:
          vpai.service: web
    - name: "web: healthy"
      community.docker.docker_container_info:
        name: web
      register: seen
      until: seen.container.State.Health.Status == 'healthy'
      retries: 60
      delay: 1
`;

describe("the playbook for what runs on a host", () => {
  test("says what is seen, without what the image brings along", () => {
    expect(renderPlaybook(describeHost(inspected))).toBe(PLAYBOOK);
  });

  test("is listed by its tasks and items", () => {
    expect(listTasks(describeHost(inspected))).toEqual([
      "networks × 1",
      "web: image",
      "web: directories × 2",
      "web: files × 1",
      "web: container",
      "web: healthy",
    ]);
  });

  test("is refused for a container whose image is not known", () => {
    expect(() => describeHost({ ...inspected, images: [] })).toThrow("/web runs sha256:aa");
  });

  test("knows files and directories, and nothing else", () => {
    expect(parsePaths("d 755 0 7 /a b")).toEqual([{ path: "/a b", directory: true, mode: "0755", uid: "0", gid: "7" }]);
    expect(() => parsePaths("l 777 0 0 /link")).toThrow("neither a file nor a directory: l 777 0 0 /link");
  });

  test("is run with pipelining and a connection that stays open", () => {
    expect(renderAnsibleCfg("/tmp/x", "/clone/ssh/config")).toBe(`[defaults]
gathering = explicit
retry_files_enabled = False
local_tmp = /tmp/x/tmp

[ssh_connection]
pipelining = True
ssh_args = -F /clone/ssh/config -o ControlMaster=auto -o ControlPersist=60s
control_path_dir = /tmp/x/cp
`);
  });
});

describe("a run of Ansible", () => {
  const recap = (counts: string): string => `PLAY RECAP ****\nvpai                       : ${counts} skipped=0\n`;

  test("is a no-op when every task was ok and none changed anything", () => {
    expect(voidRecap(parseRecap(recap("ok=6    changed=0    unreachable=0    failed=0"), "vpai"), 6)).toBeUndefined();
  });

  test.each([
    ["ok=6 changed=1 unreachable=0 failed=0"],
    ["ok=5 changed=0 unreachable=0 failed=1"],
    ["ok=0 changed=0 unreachable=1 failed=0"],
    // Fewer tasks than were meant.
    ["ok=5 changed=0 unreachable=0 failed=0"],
  ])("is void with %s", (counts) => {
    expect(voidRecap(parseRecap(recap(counts), "vpai"), 6)).toBe(`${counts}, wanted ok=6 and no other`);
  });

  test.each([
    [""],
    [recap("ok=6 changed=0")],
    [recap("ok=6 changed=0 unreachable=0 failed=0").replace("vpai", "other")],
  ])("is void without its recap: %j", (output) => {
    expect(voidRecap(parseRecap(output, "vpai"), 6)).toBe("ansible-playbook ended without a recap");
  });
});
