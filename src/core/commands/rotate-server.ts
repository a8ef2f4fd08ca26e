/** `rotate server`: new keys and certificates for hosts, through the same transaction as setup. */

import { defineCommand } from '../../cli/command.ts';
import { DUE_OPTIONS, STORED_OPTIONS } from '../../cli/host-options.ts';
import type { ActionContext } from '../actions/action-context.ts';
import type { Changed } from '../actions/results.ts';
import { type DueOptions, openStoredRun, type StoredOptions } from '../actions/run.ts';
import { recordedSpecs } from '../domain/fleet/specs.ts';
import { resolveNames } from '../domain/trust/renewals.ts';
import { nameHosts } from '../domain/words.ts';
import { change } from '../engine/change.ts';
import { renderChange } from '../render/change.ts';

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  about: 'Same names, new key, same transaction as setup: verified from here, rolled back automatically if that fails.',
  examples: ['docker-tls rotate server build-1', 'docker-tls rotate server --due --yes'],
  args: { hosts: { summary: 'hosts', many: true, completes: 'host' } },
  options: {
    ...STORED_OPTIONS,
    due: { kind: 'flag', summary: 'those whose renewal is due' },
    all: { kind: 'flag', summary: 'every host' },
    ...DUE_OPTIONS,
  },
  async run(context) {
    const changed = await rotateServer(context, context.args.hosts, context.options);
    return changed === undefined
      ? { exit: 0, result: { hosts: [] }, text: 'Nothing is due.', attention: '' }
      : renderChange(changed, context);
  },
});

/** Undefined if nothing is due. */
async function rotateServer(
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
      want: (latest) => ({
        hosts: recordedSpecs(names, latest, flags),
        credentials: [],
        target: { kind: 'desired', force: 'rotated', addHardening: true },
      }),
      question: (wanted) => `Give new certificates to ${nameHosts(wanted.hosts)}?`,
    },
    run,
  );
}
