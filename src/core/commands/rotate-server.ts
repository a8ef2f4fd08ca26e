/** `rotate server`: new keys and certificates for hosts, through the same transaction as setup. */

import { type CommandResult, defineCommand } from '../../cli/command.ts';
import { DUE_OPTIONS, STORED_OPTIONS } from '../../cli/host-options.ts';
import { openStoredRun } from '../actions/run.ts';
import type { StoreState } from '../adapters/store/records.ts';
import { recordedSpecs } from '../domain/hosts/specs.ts';
import { withTrust } from '../domain/trust/access.ts';
import { specsOf, type Wanted } from '../domain/trust/changes.ts';
import { resolveNames } from '../domain/trust/renewals.ts';
import { viewOf } from '../domain/trust/view.ts';
import { nameHosts } from '../domain/words.ts';
import { change } from '../engine/change.ts';
import type { ChangeDocument } from '../render/change-document.ts';
import { renderChange } from '../render/change-result.ts';

export type RotateServerDocument = ChangeDocument;

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  about:
    'Same names, new key, same transaction as setup: docker-tls verifies it and rolls back automatically on failure.',
  examples: ['docker-tls rotate server build-1', 'docker-tls rotate server --due --yes'],
  args: { hosts: { summary: 'hosts', many: true, completes: 'host' } },
  options: {
    ...STORED_OPTIONS,
    due: { kind: 'flag', summary: 'those whose renewal is due' },
    all: { kind: 'flag', summary: 'every host' },
    ...DUE_OPTIONS,
  },
  async run(context): Promise<CommandResult<RotateServerDocument>> {
    const { args, options } = context;
    const { run, state, hosts, flags } = await openStoredRun(context, options);
    const about = args.hosts.length > 0 ? [...state.hosts.keys()] : hosts;
    const certs = new Map(about.map((name) => [name, state.hosts.get(name)?.serverCert ?? '']));
    const names = await resolveNames('host', certs, { ...options, names: args.hosts, now: run.runtime.now() });
    if (names.length === 0) return { exit: 0, result: { hosts: [] }, text: 'Nothing is due.', attention: '' };
    const want = (latest: StoreState, now: Date): Wanted => ({
      hosts: withTrust(recordedSpecs(names, latest, flags), latest, viewOf(latest, now)),
      credentials: [],
      target: { kind: 'desired', force: 'rotated', addHardening: true },
    });
    const question = (wanted: Wanted) => `Give new certificates to ${nameHosts(specsOf(wanted))}?`;
    return renderChange(await change({ reason: 'rotate server', want, question }, run), context);
  },
});
