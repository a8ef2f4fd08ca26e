/** `log`: history of a shared store. */

import { defineCommand } from '../../../cli/command.ts';
import { storeLog } from '../actions/team-store.ts';
import { renderLog } from '../render/log.ts';

export const command = defineCommand({
  scope: ['store'],
  examples: ['docker-tls log', 'docker-tls log --limit 100'],
  args: {},
  options: { limit: { kind: 'number', min: 1, max: 10_000, value: 'N', summary: 'this many changes (default: 20)' } },
  run: async (context) => renderLog(await storeLog(context, context.options.limit)),
});
