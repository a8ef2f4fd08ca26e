/** `operator list`: operators of a shared store. */

import { defineCommand } from '../../../cli/command.ts';
import { operatorsOf } from '../actions/operators.ts';
import { renderOperators } from '../render/operators.ts';

export const command = defineCommand({
  scope: ['store'],
  about:
    'The last line has the fingerprint of the key that signs the store: compare it with a colleague when you use a store for the first time.',
  examples: ['docker-tls operator list'],
  args: {},
  options: {},
  run: async (context) => renderOperators(await operatorsOf(context), context),
});
