/** `plan [HOST…]`: what apply would change; changes nothing. */

import { planHosts } from '../../actions/apply.ts';
import { defineCommand } from '../command.ts';
import { RUN_OPTIONS } from '../host-options.ts';

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'plans', 'store'],
  about:
    'Without HOST: every host of the fleet file (-f), or of the store. Issues nothing and needs no passphrase of the CA. With --check the exit status is 3 when there is something to do.\nWith --format butane: one host as a Butane file, for machines that are configured at first boot (Fedora CoreOS, Flatcar). It holds no key and no certificate; butane reads those from the store (docs/hosts.md).',
  examples: [
    'docker-tls plan',
    'docker-tls plan -f fleet.yaml --check',
    'docker-tls plan build-1 --format butane > build-1.bu',
  ],
  args: { hosts: { summary: 'hosts; default: all', many: true, completes: 'host' } },
  options: {
    ...RUN_OPTIONS,
    check: { kind: 'flag', summary: 'exit with status 3 when there is something to do' },
    format: { kind: 'choice', choices: ['text', 'butane'], summary: 'text (default), or a file for first boot' },
  },
  run: async (context) => {
    const { args, options } = context;
    if (options.format === 'butane') {
      const { planButane } = await import('../../actions/butane.ts');
      const { renderButaneFile } = await import('../render/butane.ts');
      return renderButaneFile(await planButane(context, args.hosts, options), context);
    }
    const planned = await planHosts(context, args.hosts, options);
    return (await import('../render/apply.ts')).renderPlan(planned, context);
  },
});
