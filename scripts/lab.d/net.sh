# shellcheck shell=bash
# The lab's network: one bridge, and per host a network namespace with one veth pair. A host's number decides its
# address, its hardware address and the names of its links, so nothing of it has to be remembered to be removed.
# Nothing leaves the lab: what arrives over the bridge and is not for this machine is answered "unreachable".

readonly BRIDGE=dtlab0
readonly BRIDGE_ADDRESS=10.213.0.1
# Without one of its own a bridge takes that of a port, and another when that host reboots: the other hosts then reach no host for 7 s.
readonly BRIDGE_MAC=02:d7:1a:b0:ff:ff
readonly NET_LOCK=/run/docker-tls-lab.lock NET_NEXT=/run/docker-tls-lab.next

net_address() { printf '10.213.%d.%d' $(($1 / 250)) $(($1 % 250 + 2)); } # NUMBER
net_mac() { printf '02:d7:1a:b0:%02x:%02x' $(($1 / 256)) $(($1 % 256)); }
net_address6() { printf 'fd0d:0c5e::%x' $(($1 + 16)); } # NUMBER

# A number that no host has. Numbers go up and are used again late, so that an address that a test has just
# seen does not come back with another host key.
net_number() {
  local number
  number=$(cat "$NET_NEXT" 2>/dev/null || printf 1)
  while [[ -e /run/netns/dtlab$number || -e /sys/class/net/dtl$number ]]; do number=$((number % 60000 + 1)); done
  printf '%d\n' $((number % 60000 + 1)) >"$NET_NEXT"
  ip netns add "dtlab$number" # takes the number while the lock is held
  printf '%s' "$number"
}

net_bridge() {
  local value
  if [[ ! -e /sys/class/net/$BRIDGE ]]; then
    ip link add "$BRIDGE" address "$BRIDGE_MAC" type bridge forward_delay 0 mcast_snooping 0
    ip address add "$BRIDGE_ADDRESS/16" dev "$BRIDGE"
    ip address add fd0d:0c5e::1/64 dev "$BRIDGE" nodad 2>/dev/null || true
    ip link set "$BRIDGE" up
  fi
  [[ $(ip rule show) == *"iif $BRIDGE"* ]] || ip rule add iif "$BRIDGE" unreachable priority 21300
  [[ $(ip -6 rule show 2>/dev/null) == *"iif $BRIDGE"* ]] || ip -6 rule add iif "$BRIDGE" unreachable priority 21300 2>/dev/null || true
  # Only a link that forwards answers "unreachable"; without, a host waits for its time-outs. The rule lets nothing through.
  printf 1 >"/proc/sys/net/ipv4/conf/$BRIDGE/forwarding"
  # 128 is too few for more than about 22 hosts: systemd dies at boot without a word.
  value=$(cat /proc/sys/fs/inotify/max_user_instances)
  ((value >= 8192)) || printf 8192 >/proc/sys/fs/inotify/max_user_instances
  # 20 hosts with containers have more neighbours than the default table likes.
  value=$(cat /proc/sys/net/ipv4/neigh/default/gc_thresh3 2>/dev/null || printf 8192)
  ((value >= 8192)) || printf 8192 >/proc/sys/net/ipv4/neigh/default/gc_thresh3 2>/dev/null || true
}

# A fresh namespace for every boot, as a real boot has no firewall rule or bridge from before.
net_up() { # NUMBER CUT(yes|no) SUITE
  local number=$1 netns=dtlab$1 link=dtl$1 mac
  mac=$(net_mac "$number")
  net_down "$number"
  ip netns add "$netns"
  if is_vm "$3"; then ip tuntap add "$link" mode tap; else ip link add "$link" type veth peer name host0 address "$mac" netns "$netns"; fi
  ip link set "$link" master "$BRIDGE"
  [[ $2 == yes ]] || ip link set "$link" up
  ! is_vm "$3" || return 0 # it sets its own address; the namespace only takes the number
  ip -n "$netns" -batch - <<BATCH
link set lo up
address add $(net_address "$number")/16 dev host0
link set host0 up
route add default via $BRIDGE_ADDRESS
BATCH
  ip -n "$netns" address add "$(net_address6 "$number")/64" dev host0 nodad 2>/dev/null || true
}

net_down() { # NUMBER
  ip link delete "dtl$1" 2>/dev/null || true
  ip netns delete "dtlab$1" 2>/dev/null || true
}
