/** `operator remove NAME`: re-encrypts a shared store for the remaining operators. */

import { defineCommand } from '../../../cli/command.ts';
import { takeAccess } from '../actions/operators.ts';
import { renderRemoved } from '../render/operators.ts';

export const command = defineCommand({
  scope: ['changes', 'store'],
  about:
    'Everything is encrypted again under new keys. The operator can still read their copies, so the output names the keys to rotate.',
  examples: ['docker-tls operator remove bob'],
  args: { name: { summary: 'the operator', required: true } },
  options: {},
  run: async (context) => renderRemoved(await takeAccess(context, context.args.name), context.global.dryRun),
});
