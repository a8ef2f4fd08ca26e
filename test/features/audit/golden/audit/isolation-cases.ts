/** Golden cases of isolation, tried from inside: output of the probes on lab hosts, and what the lab cannot show. */

import { parseIsolation } from '../../../../../src/features/audit/domain/isolation.ts';
import type { Case } from './cases.ts';

/** A host with a default daemon (trixie), and one with icc, userland-proxy and seccomp off and no-new-privileges on. */
const DEFAULT = `neighbour reached 172.17.0.2:4242
network blocked 172.21.0.2:4242: no answer
bridge reached 172.17.0.1:34549
loopback blocked no answer
api blocked neither a socket nor plain HTTP on 172.17.0.1 2375 2376
metadata blocked Network is unreachable
raw reached ICMP
syscalls blocked unshare, keyctl
root reached user IDs: 0 0 4294967295
privileges reached a set-user-ID program of root, run by another user
end
`;
const OTHER = `neighbour blocked 172.17.0.2:4242: no answer
network reached 172.18.0.2:4242
bridge blocked 172.17.0.1:55933: no answer
loopback reached 127.0.0.1:57073 of the host
api reached http://172.17.0.1:2375
metadata reached
raw blocked Operation not permitted
syscalls reached unshare of a user namespace, keyctl
root blocked user IDs: 0 100000 65536
privileges blocked a set-user-ID program of root, run by another user
end
`;

type State = Case['state'];
const of = (output: string, name: string, states: Readonly<Record<string, State>>, more: Partial<Case> = {}): Case[] =>
  Object.entries(states).map(([check, state]) => ({
    ...{ check, state, name },
    outside: { isolation: parseIsolation(output) },
    ...more,
  }));

export const ISOLATION_CASES: readonly Case[] = [
  ...of(DEFAULT, 'default', {
    'isolation.1': 'pass',
    'isolation.2': 'finding',
    'isolation.3': 'pass',
    'isolation.4': 'pass',
    'isolation.5': 'pass',
    'isolation.6': 'finding',
    '2.2': 'finding',
    '2.10': 'finding',
    '2.15': 'finding',
    '2.18': 'pass',
  }),
  ...of(OTHER, 'other', {
    'isolation.1': 'finding',
    'isolation.2': 'pass',
    'isolation.3': 'finding',
    'isolation.4': 'finding',
    'isolation.5': 'finding',
    'isolation.6': 'pass',
    // The settings are still those of a default daemon.
    '2.2': 'finding',
    '2.15': 'finding',
  }),
  ...of(OTHER, 'what happened counts beside the settings', { '2.18': 'finding' }, { says: 'keyctl' }),
  ...of(
    DEFAULT,
    'settings do not help a host whose container got through',
    { '2.2': 'finding', '2.15': 'finding' },
    {
      host: 'good-trixie',
      says: '(',
    },
  ),
  ...of(
    'all unknown there is no docker command on the host\nend\n',
    'not tried',
    {
      'isolation.1': 'not-applicable',
      '2.18': 'not-applicable',
    },
    { says: 'could not be tried from inside a container: there is no docker command on the host' },
  ),
  ...of(
    DEFAULT.replace(/neighbour.*\n/, ''),
    'one answer is missing',
    { '2.2': 'not-applicable' },
    {
      host: 'good-trixie',
      says: 'no answer',
    },
  ),
  ...of(
    '',
    'no end',
    { '2.2': 'not-applicable', 'isolation.6': 'not-applicable' },
    {
      host: 'good-trixie',
      says: 'did not come to their end',
    },
  ),
  {
    ...{ check: 'config.11', name: 'default-cgroupns-mode host', state: 'finding', says: 'default-cgroupns-mode' },
    change: { config: '{"default-cgroupns-mode": "host"}' },
  },
  {
    ...{ check: 'config.11', name: 'default-cgroupns-mode private', state: 'pass' },
    change: { config: '{"default-cgroupns-mode": "private"}' },
  },
];
