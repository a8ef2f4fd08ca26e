/** `harden [HOST…]`: adds fixes to hosts that are set up, with the usual plan, apply, verify and rollback. */

import { defineCommand } from '../../../cli/command.ts';
import { FILE, RUN_OPTIONS } from '../../../cli/host-options.ts';
import { harden } from '../actions/harden.ts';
import { PROFILES } from '../domain/hardening/hardening.ts';
import { renderFixes, renderHardened } from '../render/harden.ts';

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  about:
    'Fixes that can break existing access need --accept NAME (--list: which, and what each costs). A later apply keeps the fixes; rollback and remove undo them.',
  examples: [
    'docker-tls harden build-1 --profile minimal --dry-run',
    'docker-tls harden build-1 --accept icc --keep-docker-group ci --yes',
  ],
  args: { hosts: { summary: 'hosts; default: all', many: true, completes: 'host' } },
  options: {
    ...RUN_OPTIONS,
    only: { kind: 'list', value: 'FIX', summary: 'only these fixes' },
    profile: {
      kind: 'choice',
      choices: PROFILES,
      value: 'NAME',
      summary: 'set of fixes (default: cis); measured Lynis scores: docs/harden.md',
    },
    accept: { kind: 'list', value: 'FIX', summary: 'accept what this fix costs (see --list)' },
    install: { kind: 'list', value: 'PACKAGE', summary: 'install this package (see --list)' },
    keepDockerGroup: { kind: 'list', value: 'USER', summary: 'this user stays in the docker group' },
    maxAuthTries: {
      kind: 'number',
      min: 1,
      max: 99,
      value: 'N',
      summary: 'MaxAuthTries (default: 4, article 2, lynis 3)',
    },
    banner: { kind: 'text', value: 'TEXT', summary: 'the words of the fix banner, in one line' },
    report: { ...FILE, summary: 'write before, after and what it cost as HTML' },
    list: { kind: 'flag', summary: 'show the fixes and their costs; needs no host' },
  },
  async run(context) {
    const { args, options } = context;
    return options.list ? renderFixes(context) : renderHardened(await harden(context, args.hosts, options), context);
  },
});
