/** The golden cases of plans: a desired state for recorded facts of each Docker generation. */

import type { DesiredHost } from '../../../../src/core/domain/plan/desired.ts';
import { textFile } from '../../../../src/core/domain/plan/file-change.ts';
import { desired } from '../../../support/host-facts.ts';

export type PlanCase = {
  readonly name: string;
  readonly facts: 'fresh' | 'set-up';
  /** The host's daemon.json, in place of the recorded one. */
  readonly json?: string;
  /** Differences from a plain setup, or the restored generation (`none`: before the first setup). */
  readonly want: Partial<DesiredHost> | { readonly restore: number | 'none' } | 'as-it-is';
};

export const CASES: readonly PlanCase[] = [
  { name: 'setup', facts: 'fresh', want: {} },
  { name: 'setup-json-tls', facts: 'fresh', json: '{ "tls": false }\n', want: {} },
  { name: 'setup-elsewhere', facts: 'fresh', want: { port: 2380, listen: ['10.0.0.9', 'fd00::9'] } },
  {
    name: 'setup-hardened',
    facts: 'fresh',
    want: {
      containers: 'may-stop',
      liveRestore: true,
      daemonSettings: { icc: false, 'userland-proxy': false },
      extras: [textFile('/etc/login.defs', 'UMASK 027\n', '0644', '0:0', 'umask')],
    },
  },
  { name: 'nothing', facts: 'set-up', want: 'as-it-is' },
  { name: 'renewal', facts: 'set-up', want: { credentials: { ...desired.credentials, key: 'keep' } } },
  { name: 'another-port', facts: 'set-up', want: { port: 2380 } },
  { name: 'remove', facts: 'set-up', want: { restore: 'none' } },
];
