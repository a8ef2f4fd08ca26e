/** `ca show`: the active CA and those that are still trusted beside it. */

import { defineCommand } from '../../cli/command.ts';
import { viewCa } from '../actions/ca-show.ts';
import { renderCa } from '../render/ca.ts';

export const command = defineCommand({
  scope: ['store'],
  examples: ['docker-tls ca show', 'docker-tls ca show --json'],
  args: {},
  options: {},
  run: async (context) => renderCa(await viewCa(context)),
});
