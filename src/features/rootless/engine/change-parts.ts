/** Lingering of the user as a part of a change: their systemd runs without a login. */

import type { ChangePart } from '../../../core/seams/change-parts.ts';
import lingerModule from '../host/linger.sh';

export const LINGER_PARTS: readonly ChangePart[] = [
  {
    name: 'linger',
    kinds: { linger: ({ path }) => `${path}: services of the user run without a login` },
    rollback: [lingerModule],
  },
];
