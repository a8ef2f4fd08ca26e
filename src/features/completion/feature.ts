/** Feature for the completion of words by a shell: its additions to the core. bin/docker-tls.js asks for them at every TAB. */

import { listCommand } from '../../cli/command.ts';
import { COMPLETION } from '../../core/seams/completion.ts';
import { COMMAND_SEAM } from '../../core/seams/feature-commands.ts';

COMMAND_SEAM.add(
  listCommand(
    { name: 'completion', summary: 'Print the completion script for a shell' },
    () => import('./commands/completion.ts'),
  ),
);
// In the file of src/entry/complete.ts (scripts/build.mjs).
COMPLETION.add(async (words) => (await import('./cli/candidates.ts')).answerShell(words));
