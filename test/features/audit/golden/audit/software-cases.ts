/** Golden cases of installed software, and of daemon settings that the benchmark does not have. */

import { merge } from '../../support/audit-facts.ts';
import type { Case } from './cases.ts';

const NOTHING_NAMED = '';

export const SOFTWARE_CASES: readonly Case[] = [
  {
    check: 'vuln.containerd',
    name: 'a fixed version of upstream',
    change: {
      sections: { 'packages-deb': 'containerd.io 2.4.1-1\n' },
      api: { '/version': merge({ Components: [{ Name: 'containerd', Version: 'v2.4.1' }] }) },
    },
    state: 'pass',
  },
  ...(
    [
      ['vuln.cli', 'docker-ce-cli 5:20.10.8~3-0~debian-bullseye'],
      ['vuln.compose', 'docker-compose-plugin 2.40.1-1~debian.12~bookworm'],
      ['vuln.buildx', 'docker-buildx-plugin 0.21.2-1~debian.12~bookworm'],
    ] as const
  ).map(
    ([check, installed]): Case => ({
      check,
      name: 'a version of upstream that is not fixed',
      change: { sections: { 'packages-deb': `${installed}\n` } },
      state: 'finding',
      says: 'fixed in',
    }),
  ),
  {
    check: 'vuln.compose',
    name: 'fixed',
    change: { sections: { 'packages-deb': 'docker-compose-plugin 2.40.2-1\n' } },
    state: 'pass',
  },
  {
    check: 'vuln.compose',
    name: 'version 1, which has no such files',
    change: { sections: { 'packages-deb': 'docker-compose 1.29.2-3\n', 'changelog docker-compose': NOTHING_NAMED } },
    state: 'pass',
  },
  {
    check: 'vuln.buildx',
    name: 'fixed',
    change: { sections: { 'packages-deb': 'docker-buildx-plugin 0.30.0-1\n' } },
    state: 'pass',
  },
  {
    check: 'vuln.plugin',
    name: 'an old engine of upstream',
    change: {
      sections: { 'packages-deb': 'docker-ce 5:26.1.5-1\n' },
      api: { '/info': merge({ Plugins: { Authorization: ['opa'] } }) },
    },
    state: 'finding',
    severity: 'high',
    says: 'CVE-2026-34040',
  },
  {
    check: 'vuln.plugin',
    name: 'an old engine that Debian fixed',
    change: { api: { '/info': merge({ Plugins: { Authorization: ['opa'] } }) } },
    state: 'pass',
  },
  {
    check: 'vuln.cri',
    name: 'switched off',
    change: { sections: { 'containerd-disabled': 'disabled_plugins = ["io.containerd.grpc.v1.cri"]' } },
    state: 'pass',
  },
  {
    check: 'vuln.cri',
    name: 'Kubernetes',
    change: { sections: { kubelet: '/proc/1/comm' } },
    state: 'not-applicable',
    says: 'Kubernetes',
  },
  {
    check: 'config.6',
    name: 'both kinds of networks',
    change: {
      config:
        '{"ip": "127.0.0.1", "default-network-opts": {"bridge": {"com.docker.network.bridge.host_binding_ipv4": "127.0.0.1"}}}',
    },
    state: 'pass',
  },
  {
    check: 'config.6',
    name: 'by flags',
    change: {
      flags: [
        '--ip',
        '127.0.0.1',
        '--default-network-opt=bridge=com.docker.network.bridge.host_binding_ipv4=127.0.0.1',
      ],
    },
    state: 'pass',
  },
  {
    check: 'config.6',
    name: 'the default bridge alone',
    change: { config: '{"ip": "127.0.0.1"}' },
    state: 'finding',
    says: 'Compose',
  },
  {
    check: 'config.6',
    name: 'bound to every address',
    change: {
      config:
        '{"ip": "0.0.0.0", "default-network-opts": {"bridge": {"com.docker.network.bridge.host_binding_ipv4": "0.0.0.0"}}}',
    },
    state: 'finding',
    says: 'the default bridge',
  },
  {
    check: 'config.6',
    name: 'an engine without defaults for networks of its own',
    host: 'fresh-bookworm',
    change: { config: '{"ip": "127.0.0.1"}' },
    state: 'pass',
  },
  ...['{"allow-direct-routing": true}', '{"ip-forward-no-drop": true}', '{"bridge-accept-fwmark": "0x1/0x3"}'].map(
    (config): Case => ({ check: 'config.7', name: config, host: 'fresh-sid', change: { config }, state: 'finding' }),
  ),
  {
    check: 'config.7',
    name: 'off',
    host: 'fresh-sid',
    change: { config: '{"allow-direct-routing": false}' },
    state: 'pass',
  },
  { check: 'config.8', name: 'loopback', change: { config: '{"metrics-addr": "127.0.0.1:9323"}' }, state: 'pass' },
  { check: 'config.8', name: 'loopback, IPv6', change: { flags: ['--metrics-addr=[::1]:9323'] }, state: 'pass' },
  ...['0.0.0.0:9323', ':9323', '[::]:9323', '192.0.2.7:9323'].map(
    (address): Case => ({
      check: 'config.8',
      name: address,
      change: { flags: ['--metrics-addr', address] },
      state: 'finding',
      says: 'plain HTTP',
    }),
  ),
  ...(
    [
      ['29.1.0', '1.44', 'pass'],
      ['29.1.0', '1.24', 'finding'],
      ['29.3.1', '1.40', 'pass'],
      ['29.10.0', '1.40', 'pass'],
      ['29.3.1', '1.24', 'finding'],
      ['26.1.5', '1.12', 'finding'],
    ] as const
  ).map(
    ([engine, lowest, state]): Case => ({
      check: 'config.9',
      name: `${engine} from ${lowest}`,
      change: { api: { '/info': merge({ ServerVersion: engine }), '/version': merge({ MinAPIVersion: lowest }) } },
      state,
    }),
  ),
  {
    check: 'config.10',
    name: 'version 1',
    change: { api: { '/info': merge({ CgroupVersion: '1' }) } },
    state: 'finding',
  },
  { check: 'swarm.1', name: 'new', host: 'swarm-trixie', state: 'pass', outside: { now: new Date('2026-12-01') } },
  {
    check: 'swarm.1',
    name: 'the node did not renew its own',
    host: 'swarm-trixie',
    outside: { now: new Date('2027-02-20') },
    state: 'finding',
    says: 'expires in',
  },
  {
    check: 'swarm.1',
    name: 'expired, the CA too',
    host: 'swarm-trixie',
    outside: { now: new Date('2047-02-20') },
    state: 'finding',
    says: 'dockerd does not start again',
  },
];
