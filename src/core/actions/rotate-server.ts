/** `rotate server`: new keys and certificates for hosts, with unchanged names. */

import { recordedSpecs } from '../domain/fleet/specs.ts';
import { withTrust } from '../domain/trust/access.ts';
import { specsOf } from '../domain/trust/changes.ts';
import { resolveNames } from '../domain/trust/renewals.ts';
import { viewOf } from '../domain/trust/view.ts';
import { nameHosts } from '../domain/words.ts';
import { change } from '../engine/change.ts';
import type { ActionContext } from './action-context.ts';
import type { Changed } from './results.ts';
import { openStoredRun, type StoredOptions } from './run.ts';

export type DueOptions = {
  readonly due: boolean;
  readonly all: boolean;
  /** Milliseconds. */
  readonly within: number | undefined;
};

/** Undefined if nothing is due. */
export async function rotateServer(
  context: ActionContext,
  named: readonly string[],
  options: StoredOptions & DueOptions,
): Promise<Changed | undefined> {
  const { run, state, hosts, flags } = await openStoredRun(context, options);
  const about = named.length > 0 ? [...state.hosts.keys()] : hosts;
  const certs = new Map(about.map((name) => [name, state.hosts.get(name)?.serverCert ?? '']));
  const names = await resolveNames('host', certs, { ...options, names: named, now: run.runtime.now() });
  if (names.length === 0) return undefined;
  return change(
    {
      reason: 'rotate server',
      want: (latest, now) => ({
        hosts: withTrust(recordedSpecs(names, latest, flags), latest, viewOf(latest, now)),
        credentials: [],
        target: { kind: 'desired', force: 'rotated', addHardening: true },
      }),
      question: (wanted) => `Give new certificates to ${nameHosts(specsOf(wanted))}?`,
    },
    run,
  );
}
