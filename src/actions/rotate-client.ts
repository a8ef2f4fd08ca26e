/** Owns `rotate client`: new keys and certificates for clients; no host is touched. */

import type { StoreState } from '../adapters/store/records.ts';
import { renewed } from '../domain/trust/clients.ts';
import { change } from '../engine/change.ts';
import type { Changed, Run } from '../engine/intent.ts';

export type RotateClientRequest = {
  names(state: StoreState): readonly string[];
  /** Lifetime; default: as before. */
  readonly days: number | undefined;
};

export function rotateClient({ names, days }: RotateClientRequest, run: Run): Promise<Changed> {
  return change(
    {
      reason: 'rotate client',
      want: (state, now) => ({
        hosts: [],
        credentials: names(state).map((name) => renewed(state, name, days, now)),
        target: { kind: 'desired' },
        copies: true,
      }),
    },
    run,
  );
}
