/** Checks of isolation by containers of the audit (`--probe-containers`). Attempts with a control of the benchmark are in daemon.ts. */

import { type Check, checksOf } from '../check.ts';
import { judgeAttempt } from './isolation-verdicts.ts';

export const ISOLATION_PROBES: readonly Check[] = checksOf<Check>({
  'isolation.1': {
    title: "A container does not reach services on the host's 127.0.0.1",
    failure: "A container reaches services on the host's 127.0.0.1",
    severity: 'high',
    why: 'Databases and agents that listen on loopback only often ask for no password.',
    fix: (host) =>
      `docker-tls harden ${host} --only userland-proxy --accept userland-proxy (it drops such packets); of a rootless daemon, take DOCKERD_ROOTLESS_ROOTLESSKIT_DISABLE_HOST_LOOPBACK=false out of its unit`,
    evaluate: judgeAttempt('loopback', 'a service on 127.0.0.1 of the host answered'),
  },
  'isolation.2': {
    title: "A container does not reach services on the host's address in its network",
    failure: "A container reaches services on the host's address in its network",
    severity: 'low',
    why: 'What the host serves on all of its addresses is open to every container, past a firewall for other machines.',
    fix: 'Bind services of the host to one address, or drop new connections from docker0 and br-* in the INPUT chain.',
    evaluate: judgeAttempt('bridge', 'a service on an address of the host answered'),
  },
  'isolation.3': {
    title: "A container does not reach Docker's API",
    failure: "A container reaches Docker's API",
    severity: 'critical',
    why: "Docker's API without a client certificate is root on the host.",
    fix: (host) => `docker-tls setup ${host}`,
    evaluate: judgeAttempt('api', "Docker's API answered without a certificate"),
  },
  'isolation.4': {
    title: 'A container does not reach the metadata service of a cloud',
    failure: 'A container reaches the metadata service of a cloud',
    severity: 'medium',
    why: '169.254.169.254 gives the credentials of the virtual machine to every process that asks.',
    fix: 'iptables -I DOCKER-USER -d 169.254.169.254 -j DROP, or let the service ask for a token with a hop limit of 1',
    evaluate: judgeAttempt('metadata', '169.254.169.254 port 80 accepted a connection; nothing was read'),
  },
  'isolation.5': {
    title: 'A container does not reach containers of another network',
    failure: 'A container reaches containers of another network',
    severity: 'high',
    why: 'Networks are what keeps applications apart; without rules of the firewall the host routes between them.',
    fix: 'Take "iptables": false and rules that accept everything in FORWARD or DOCKER-USER out, then restart docker.',
    evaluate: judgeAttempt('network', 'a container of another network answered'),
  },
  'isolation.6': {
    title: 'A container cannot send raw packets',
    failure: 'A container can send raw packets',
    severity: 'low',
    why: 'With CAP_NET_RAW, which is among the defaults, it can pose as its neighbours by ARP and DNS.',
    fix: 'docker run --cap-drop NET_RAW …, `cap_drop: [NET_RAW]` in the Compose file',
    evaluate: judgeAttempt('raw', 'a raw socket was opened'),
  },
});
