/** `ca show`: the active CA, and old CAs that are still trusted. */

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
