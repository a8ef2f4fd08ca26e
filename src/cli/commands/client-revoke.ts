/** Owns `client revoke`: takes access away from one client, on every host, and verifies it. */

import { plural } from '../../domain/words.ts';
import { accessOf, revoked } from '../../engine/access.ts';
import { defineCommand } from '../command.ts';
import { startStored } from '../fleet-session.ts';
import { agree } from '../prompts.ts';
import { changeAccess, nameHosts, ROTATE_OPTIONS } from '../rotate.ts';

export const command = defineCommand({
  name: 'client revoke',
  summary: 'No host accepts this client any more; nobody else is touched',
  about:
    'Every host gets a list of the clients that it still accepts, without this one; nobody else gets new files. It is verified by trying the revoked certificate.\nHosts that cannot be reached still accept it: run the same command again when they are back. A host that nobody else may use is left as it is, and named.',
  examples: ['docker-tls client revoke eve'],
  args: { name: { summary: 'the client', required: true, completes: 'client' } },
  options: ROTATE_OPTIONS,
  async run(context) {
    const { args, options, global, prompts, runtime } = context;
    const first = await startStored(context, options, 'client revoke');
    return first.session.store.withLock('docker-tls client revoke', async () => {
      const run = await startStored(context, options, 'client revoke', first.session.store);
      const { state, keyring } = run.session;
      const client = revoked(state, args.name, runtime.now());
      keyring.amend(client);
      const { outdated, withoutClients, notes } = await accessOf(run.session);
      if (global.dryRun)
        return {
          exit: 0,
          result: { client: args.name, dryRun: true, hosts: outdated },
          text: [`would revoke ${args.name} on ${nameHosts(run.specs(outdated))}`, ...notes].join('\n'),
          errors: withoutClients,
        };
      for (const note of notes) await prompts.show(`${note}\n`);
      await agree(prompts, `Revoke ${args.name} on every host? Its certificate cannot be brought back.`);
      const check = client.key === undefined ? [] : [{ name: args.name, cert: client.cert, key: client.key }];
      const changed = await changeAccess(
        { ...context, global: { ...global, yes: true } },
        {
          run,
          more: { mustRefuse: check },
          question: () => '',
          canary: options.canary,
          maxFailures: options.maxFailures,
        },
      );
      const ending =
        changed.exit !== 0
          ? `${args.name} is revoked, but still accepted by the hosts that failed: fix them, then run the same command again.`
          : outdated.length === 0
            ? `${args.name} is revoked; no host accepts it.`
            : `${args.name} is revoked: ${plural(outdated.length, 'host')} ${outdated.length === 1 ? 'rejects' : 'reject'} it${check.length > 0 ? ', tried with its own certificate' : ''}.`;
      return {
        ...changed,
        result: { client: args.name, revokedAt: client.record.revokedAt, ...(changed.result as object) },
        text: [changed.text, ending].filter((part) => part !== '').join('\n\n'),
      };
    });
  },
});
