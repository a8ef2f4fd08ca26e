# shellcheck shell=bash
# The suites: what a host is made of, and what runs containers there.

readonly SUITES=(bookworm trixie sid sysvinit openrc podman podman-trixie rootless rootless-sid)
# Only as virtual machines.
readonly VM_SUITES=(selinux-vm)

is_without_systemd() {
  case $1 in sysvinit | openrc) return 0 ;; esac
  return 1
}
is_podman() { [[ $1 == podman* ]]; }
is_rootless() { [[ $1 == rootless* ]]; }
is_suite() { [[ " ${SUITES[*]} " == *" ${1%-vm} "* || " ${VM_SUITES[*]} " == *" $1 "* ]]; }

# What runs containers there, by its command for the host's shell. Podman has no daemon that would have to answer.
host_engine() { # after host_load
  case $suite in
    podman*) printf 'podman' ;;
    rootless*) printf 'docker -H unix:///run/user/%s/docker.sock' '$(id -u rooty)' ;;
    *) printf 'docker' ;;
  esac
}
