/** Commands of features. cli/commands.ts lists them. */

import type { CommandEntry } from '../../cli/command.ts';
import { seam } from './seam.ts';

export const COMMAND_SEAM = seam<CommandEntry>();
