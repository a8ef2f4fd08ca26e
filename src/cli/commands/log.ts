/** `log`: the history of a shared store. */

import { storeLog } from '../../actions/team-store.ts';
import { defineCommand } from '../command.ts';
import { renderLog } from '../render/log.ts';

export const command = defineCommand({
  scope: ['store'],
  examples: ['docker-tls log', 'docker-tls log --limit 100'],
  args: {},
  options: { limit: { kind: 'number', min: 1, max: 10_000, value: 'N', summary: 'this many changes (default: 20)' } },
  run: async (context) => renderLog(await storeLog(context, context.options.limit)),
});
