#!/bin/bash
# Closes or opens a container's port to new connections. Usage: drain close CONTAINER PORT | open CONTAINER PORT PATH
# Closed before the container is stopped: the edge then sees a refused connection, and sends the request to the next
# container. Otherwise a request may wait in the old one's queue, and is lost without a trace of whether it was carried
# out. A request that has been read and not answered has half a minute; an answer that is under way has a moment, because
# a WebSocket is one that does not end. It is opened once PATH has answered 2xx for some seconds on end: a product that has
# lost its database says that it is ready until it looks for the next time, and then refuses what it was sent.
set -euo pipefail

action=${1:?close or open} name=${2:?container} port=${3:?port}
answer_seconds=30 end_seconds=5 ready_seconds=5 deadline_seconds=60
rule=(INPUT ! --in-interface lo --protocol tcp --syn --destination-port "$port" --jump REJECT --reject-with tcp-reset)

# Only a container that runs has a network to close.
[ -n "$(docker ps --quiet --filter "name=^$name\$" --filter status=running)" ] || exit 0
pid=$(docker inspect --format '{{.State.Pid}}' "$name")

inside() { sudo -n nsenter --target "$pid" --net "$@"; }
closed() { inside iptables --wait --check "${rule[@]}" 2> /dev/null; }
connections() { inside ss --no-header --oneline --numeric --info --tcp state established "( sport = :$port )"; }
unanswered() { connections | grep bytes_received: | grep --invert-match bytes_sent: ; }

case $action in
  open)
    closed || exit 0
    url=http://127.0.0.1:$port${4:?path}
    began=$SECONDS since=$SECONDS
    while [ $((SECONDS - since)) -lt "$ready_seconds" ] && [ $((SECONDS - began)) -lt "$deadline_seconds" ]; do
      inside curl --silent --fail --output /dev/null --max-time 2 "$url" || since=$SECONDS
      sleep 0.2
    done
    while closed; do inside iptables --wait --delete "${rule[@]}"; done
    [ $((SECONDS - since)) -ge "$ready_seconds" ] ||
      { echo "$name: $url has not answered for $ready_seconds s on end within $deadline_seconds s" >&2; exit 1; }
    ;;
  close)
    closed || inside iptables --wait --insert "${rule[@]}"
    closed || { echo "$name: port $port is not closed to new connections" >&2; exit 1; }
    began=$SECONDS
    while [ -n "$(unanswered)" ] && [ $((SECONDS - began)) -lt "$answer_seconds" ]; do sleep 0.1; done
    began=$SECONDS
    while [ -n "$(connections)" ] && [ $((SECONDS - began)) -lt "$end_seconds" ]; do sleep 0.1; done
    ;;
  *)
    echo "drain: $action: not an action; allowed: close, open" >&2
    exit 2
    ;;
esac
