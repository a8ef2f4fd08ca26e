/** Owns `client revoke`: takes access away from one client, on every host, and proves it. */

import { behindHosts, revoked } from '../../workflows/access.ts';
import { defineCommand } from '../command.ts';
import { startStored } from '../fleet-session.ts';
import { agree } from '../prompts.ts';
import { changeHosts, nameHosts, ROTATE_OPTIONS } from '../rotate.ts';

export const command = defineCommand({
  name: 'client revoke',
  summary: 'No host accepts this client any more; nobody else is touched',
  about:
    'Every host gets a list of the clients that it still accepts, without this one; nobody else gets new files. It is proven by trying the revoked certificate.\nHosts that can’t be reached still accept it: run the same command again when they are back.',
  examples: ['docker-tls client revoke eve'],
  args: { name: { summary: 'the client', required: true, completes: 'client' } },
  options: ROTATE_OPTIONS,
  async run(context) {
    const { args, options, global, prompts, runtime } = context;
    const first = await startStored(context, options, 'client revoke');
    const client = revoked(first.session.state, args.name, runtime.now());
    if (global.dryRun)
      return {
        exit: 0,
        result: { client: args.name, dryRun: true },
        text: `would revoke ${args.name} on ${nameHosts(first.specs([...first.session.state.hosts.keys()]))}`,
      };
    await agree(prompts, `Revoke ${args.name} on every host? Its certificate can't be brought back.`);
    return first.session.store.withLock('docker-tls client revoke', async () => {
      await first.session.store.write({ clients: { [args.name]: client } });
      const run = await startStored(context, options, 'client revoke', first.session.store);
      const specs = run.specs(await behindHosts(run.session));
      const proof = client.key === undefined ? [] : [{ name: args.name, cert: client.cert, key: client.key }];
      const changed = await changeHosts(
        { ...context, global: { ...global, yes: true } },
        {
          specs,
          run: await run.open({ mustRefuse: proof }),
          question: '',
          canary: options.canary,
          maxFailures: options.maxFailures,
        },
      );
      const ending =
        changed.exit !== 0
          ? `The hosts that failed still accept ${args.name}: run the same command again.`
          : specs.length === 0
            ? `${args.name} is revoked; no host accepts it.`
            : `${args.name} is revoked: ${specs.length} hosts turn it away${proof.length > 0 ? ', tried with its own certificate' : ''}.`;
      return {
        ...changed,
        result: { client: args.name, revokedAt: client.record.revokedAt, ...(changed.result as object) },
        text: [changed.text, ending].filter((part) => part !== '').join('\n\n'),
      };
    });
  },
});
