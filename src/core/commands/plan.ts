/** `plan [HOST…]`: the changes that apply would make; changes nothing. */

import { type CommandResult, defineCommand } from '../../cli/command.ts';
import { HOST_OPTIONS, POOL_OPTIONS, RUN_OPTIONS } from '../../cli/host-options.ts';
import { planNamedHosts } from '../actions/open-hosts.ts';
import type { PlannedChangeDocument } from '../render/change-document.ts';
import { renderPlanned } from '../render/change-result.ts';
import { nextCommands } from '../render/next.ts';
import { LISTENERS } from '../seams/listeners.ts';
import { offered, offeredLines, offeredWords } from '../seams/seam.ts';
import { SETTING_PLACES } from '../seams/setting-places.ts';

export type PlanDocument = PlannedChangeDocument;

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'plans', 'store'],
  about: `Without HOST: every host of ${offeredWords(SETTING_PLACES, 'the fleet file (-f), or of ')}the store. Issues nothing and needs no passphrase of the CA. With --check the exit status is 3 when there is something to do.`,
  examples: ['docker-tls plan', ...offeredLines(SETTING_PLACES, 'docker-tls plan -f fleet.yaml --check')],
  args: { hosts: { summary: 'hosts (default: all)', many: true, completes: 'host' } },
  options: {
    ...RUN_OPTIONS,
    ...POOL_OPTIONS,
    ...offered(LISTENERS, { install: HOST_OPTIONS.install }),
    check: { kind: 'flag', summary: 'exit with status 3 when there is something to do' },
  },
  async run(context): Promise<CommandResult<PlanDocument>> {
    const { args, options } = context;
    const changed = await planNamedHosts(context, args.hosts, { ...options, installs: options.install });
    if (changed.planned === undefined) throw new Error('plan made a change');
    const { exit, ...rest } = renderPlanned(changed.planned, context);
    const next = nextCommands(changed, context);
    return { ...rest, next, exit: exit === 0 && options.check && next.length > 0 ? 3 : exit };
  },
});
