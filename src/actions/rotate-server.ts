/** Owns `rotate server`: new keys and certificates for hosts, with the names that they have. */

import type { StoreState } from '../adapters/store/records.ts';
import type { HostSpec } from '../domain/settings.ts';
import { nameHosts } from '../domain/words.ts';
import { change } from '../engine/change.ts';
import type { Changed, Run } from '../engine/intent.ts';

export function rotateServer(specs: (state: StoreState) => readonly HostSpec[], run: Run): Promise<Changed> {
  return change(
    {
      reason: 'rotate server',
      want: (state) => ({
        hosts: specs(state),
        credentials: [],
        target: { kind: 'desired', force: 'rotated', addHardening: true },
      }),
      question: ({ hosts }) => `Give new certificates to ${nameHosts(hosts)}?`,
    },
    run,
  );
}
