/** Owns `rotate server`: new keys and certificates for hosts, through the same transaction as setup. */

import { resolveNames } from '../../engine/renewals.ts';
import { defineCommand } from '../command.ts';
import { startStored } from '../fleet-session.ts';
import { DUE_OPTIONS } from '../host-options.ts';
import { changeHosts, nameHosts, ROTATE_OPTIONS } from '../rotate.ts';

export const command = defineCommand({
  name: 'rotate server',
  summary: 'New key and certificate for hosts; nothing is refused, nothing stops',
  about: 'Same names, new key, same transaction as setup: verified from here, rolled back automatically if that fails.',
  examples: ['docker-tls rotate server build-1', 'docker-tls rotate server --due --yes'],
  args: { hosts: { summary: 'hosts', many: true, completes: 'host' } },
  options: {
    ...ROTATE_OPTIONS,
    due: { kind: 'flag', summary: 'those whose renewal is due' },
    all: { kind: 'flag', summary: 'every host' },
    ...DUE_OPTIONS,
  },
  async run(context) {
    const { args, options, runtime } = context;
    const run = await startStored(context, options, 'rotate server');
    const stored = run.session.state.hosts;
    const about = args.hosts.length > 0 ? [...stored.keys()] : run.hosts;
    const certs = new Map(about.map((name) => [name, stored.get(name)?.serverCert ?? '']));
    const names = resolveNames('host', certs, {
      names: args.hosts,
      due: options.due,
      all: options.all,
      now: runtime.now(),
      ...(options.within === undefined ? {} : { withinDays: options.within / 86_400_000 }),
    });
    if (names.length === 0) return { exit: 0, result: { hosts: [] }, text: 'Nothing is due.' };
    const specs = run.specs(names);
    return changeHosts(context, {
      specs,
      run: await run.open({ forceCredentials: 'rotated' }),
      question: `Give new certificates to ${nameHosts(specs)}?`,
      canary: options.canary,
      maxFailures: options.maxFailures,
    });
  },
});
