/** Owns `rollback` and `remove`: hosts back to an earlier generation, or to what they were before the first setup. */

import type { HostSpec } from '../domain/settings.ts';
import { listWords } from '../domain/words.ts';
import { change } from '../engine/change.ts';
import type { Changed, Run, Target } from '../engine/intent.ts';

export type RestoreRequest = {
  readonly hosts: readonly HostSpec[];
  readonly to: Extract<Target, { kind: 'generation' }>['to'];
  readonly allowRevoked: boolean;
  readonly allowPlainTcp: boolean;
};

export function restore({ hosts, to, ...allowed }: RestoreRequest, run: Run): Promise<Changed> {
  const names = listWords(
    hosts.map(({ name }) => name),
    12,
  );
  const question = () =>
    to === 'none'
      ? `Remove docker-tls from ${names} and restore the original configuration?`
      : `Roll ${names} back to ${to === 'previous' ? 'the generation before' : `generation ${to}`}?`;
  return change(
    {
      reason: to === 'none' ? 'remove' : 'rollback',
      want: () => ({ hosts, credentials: [], target: { kind: 'generation', to, ...allowed } }),
      question,
    },
    run,
  );
}
