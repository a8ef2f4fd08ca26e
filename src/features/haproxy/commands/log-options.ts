/** Options of the commands that read the log of HAProxy. */

import type { OptionSpecs } from '../../../cli/command.ts';
import { SELECTION_OPTIONS, SSH_OPTIONS } from '../../../cli/host-options.ts';

export const LOG_OPTIONS = {
  ...SELECTION_OPTIONS,
  ...SSH_OPTIONS,
  since: { kind: 'duration', value: 'TIME', summary: 'requests of this time (default: 24h)' },
} as const satisfies OptionSpecs;
