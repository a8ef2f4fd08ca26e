/** Facts of a host without any problem, in the facts script's format, for tests without a real host. */

import type { Credentials, DesiredHost } from '../../src/core/domain/plan/desired.ts';
import { type HostFacts, parseFacts } from '../../src/core/domain/plan/facts.ts';
import { Secret } from '../../src/core/domain/secret.ts';
import { factsScript } from '../../src/core/engine/loaded-kinds.ts';
import { printFacts } from './sections.ts';

// The kinds of hosts of features are known as soon as their script is there.
await factsScript();

/** The host's clock in these facts. */
export const FACTS_TIME_MS = Date.parse('2026-06-01T12:00:00Z');
export const UNIT = '/usr/lib/systemd/system/docker.service';

export const GOOD_FACTS: Readonly<Record<string, string>> = {
  uid: '0',
  clock: `${FACTS_TIME_MS / 1000}`,
  systemd: 'systemd 257 (257.1)',
  kind: 'systemd',
  unit: `LoadState=loaded\nActiveState=active\nFragmentPath=${UNIT}`,
  'environment-files': '/etc/default/docker',
  'docker-socket': 'LoadState=loaded\nActiveState=active',
  'tls-socket': 'LoadState=not-found\nActiveState=inactive',
  [`file:${UNIT}`]: 'file 644 0:0\n[Service]\nExecStart=/usr/sbin/dockerd -H fd:// $DOCKER_OPTS\n',
  'file:/etc/default/docker': 'absent',
  'file:/etc/docker/daemon.json': 'absent',
  dockerd: '/usr/sbin/dockerd',
  programs: '/usr/sbin/iptables\n/usr/sbin/runc\n/usr/sbin/docker-proxy',
  edited: '',
  'api-socket': '/run/docker.sock',
  info: '{"ID":"x","ServerVersion":"26.1.5","LiveRestoreEnabled":false,"Plugins":{"Log":["json-file","local"]}}',
  containers: '[{"Id":"abc","Names":["/web"]}]',
  disk: 'Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda 100000 1 99999 1% /',
  mounts: '/ rw,relatime,rw',
};

/** The same facts as script output. */
export const GOOD_OUTPUT = printFacts(GOOD_FACTS);

/** The facts, with some sections of the host's output replaced, or (undefined) omitted. */
export function factsOf(more: Readonly<Record<string, string | undefined>> = {}): HostFacts {
  const texts = Object.entries({ ...GOOD_FACTS, ...more }).filter(([, text]) => text !== undefined);
  return parseFacts(printFacts(Object.fromEntries(texts) as Record<string, string>));
}

/** The input of a plan; a test changes one part of it. */
export const desired: DesiredHost = {
  name: 'h1',
  port: 2376,
  listen: [],
  credentials: {
    trust: [{ new: 'CA' }],
    certificate: { issue: { names: [], keyType: 'p256', days: 397, reason: 'it has none yet' } },
    key: 'send',
  },
  containers: 'keep',
};

/** The credentials to send. */
export const sent: Credentials = { ca: 'CA', cert: 'CERT', key: { kind: 'send', key: new Secret('KEY') } };
