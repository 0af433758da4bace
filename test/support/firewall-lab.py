"""Asks the kernel what a host's table lets in. Started in a network namespace of its own, which is the server.

stdin: {"table": text for `nft -f`, "probes": [[protocol, source address, server's address, port], ...]}
stdout: one boolean for each probe: whether it was answered.

  outside (all sources) -- eth0 server br-lab -- container, whose ports are translated as Docker does it
"""

import concurrent.futures
import json
import os
import socket
import subprocess
import sys
import threading
import time

PUBLISHED = {"tcp": [80, 443, 8080, 9443], "udp": [443]}
OWN = {"tcp": [22, 2222, 5432], "udp": [2222]}
NAT = """
table {family} nat {{
  chain prerouting {{
    type nat hook prerouting priority dstnat;
    iifname != "br-lab" tcp dport {{ 80, 443, 8080, 9443 }} dnat to {container}
    iifname != "br-lab" udp dport 443 dnat to {container}
  }}
}}
"""


def echo(server, is_stream):
    while True:
        if is_stream:
            server.accept()[0].sendall(b"x")
        else:
            server.sendto(b"x", server.recvfrom(10)[1])


def listen(ports):
    for protocol, numbers in ports.items():
        for number in numbers:
            is_stream = protocol == "tcp"
            server = socket.socket(socket.AF_INET6, socket.SOCK_STREAM if is_stream else socket.SOCK_DGRAM)
            server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            server.bind(("::", number))
            if is_stream:
                server.listen(64)
            threading.Thread(target=echo, args=(server, is_stream), daemon=True).start()


def answered(probe):
    protocol, source, server, port = probe
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.bind((source, 0))
        try:
            client.connect((server, port))
            if protocol == "udp":
                client.send(b"x")
            return client.recv(1) == b"x"
        except OSError:
            return False


def namespace():
    process = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE)
    own = os.readlink("/proc/self/ns/net")
    while os.readlink(f"/proc/{process.pid}/ns/net") == own:
        time.sleep(0.01)
    return process


def run(lines, inside=None):
    enter = ["nsenter", f"--net=/proc/{inside.pid}/ns/net"] if inside else []
    for line in lines.strip().splitlines():
        subprocess.run([*enter, *line.split()], check=True)


def helper(role, inside):
    return subprocess.Popen(
        ["nsenter", f"--net=/proc/{inside.pid}/ns/net", sys.executable, __file__, role],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def main():
    given = json.load(sys.stdin)
    outside, container = namespace(), namespace()
    for path in ["ipv4/ip_forward", "ipv6/conf/all/forwarding"]:
        with open(f"/proc/sys/net/{path}", "w") as file:
            file.write("1")
    run(f"""
ip link set lo up
ip link add eth0 type veth peer name eth0 netns {outside.pid}
ip link add to-container type veth peer name eth0 netns {container.pid}
ip link add br-lab type bridge
ip link set to-container master br-lab up
ip link set br-lab up
ip link set eth0 up
ip address add 192.0.2.1/24 dev eth0
ip address add 2001:db8::1/64 dev eth0 nodad
ip address add 172.20.1.1/24 dev br-lab
ip address add fd00:20::1/64 dev br-lab nodad
ip route add default via 192.0.2.2
ip -6 route add default via 2001:db8::2
""")
    sources = sorted({probe[1] for probe in given["probes"]})
    run(
        """
ip link set lo up
ip link set eth0 up
ip address add 192.0.2.2/24 dev eth0
ip address add 2001:db8::2/64 dev eth0 nodad
ip route add 172.20.1.0/24 via 192.0.2.1
ip -6 route add fd00:20::/64 via 2001:db8::1
"""
        + "\n".join(f"ip address add {source} dev lo" + (" nodad" if ":" in source else "") for source in sources),
        outside,
    )
    run(
        """
ip link set lo up
ip link set eth0 up
ip address add 172.20.1.2/24 dev eth0
ip address add fd00:20::2/64 dev eth0 nodad
ip route add default via 172.20.1.1
ip -6 route add default via fd00:20::1
""",
        container,
    )
    nat = NAT.format(family="ip", container="172.20.1.2") + NAT.format(family="ip6", container="fd00:20::2")
    subprocess.run(["nft", "-f", "-"], input=nat + given["table"], text=True, check=True)
    listen(OWN)
    served = helper("serve", container)
    served.stdout.readline()
    asked = helper("ask", outside)
    sys.stdout.write(asked.communicate(json.dumps(given["probes"]))[0])
    served.communicate()
    for each in [outside, container]:
        each.communicate()


def ask():
    probes = json.load(sys.stdin)
    with concurrent.futures.ThreadPoolExecutor(len(probes)) as pool:
        print(json.dumps(list(pool.map(answered, probes))))


def serve():
    listen(PUBLISHED)
    print("listening", flush=True)
    sys.stdin.read()


{"ask": ask, "serve": serve}.get(sys.argv[1] if len(sys.argv) > 1 else "", main)()
