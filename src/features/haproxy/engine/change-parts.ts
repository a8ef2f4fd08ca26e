/** The listener's part of a change: its service, and sockets for programs on the host. */

import { programUnit } from '../../../core/domain/dockerd/paths.ts';
import type { ChangePart } from '../../../core/seams/change-parts.ts';
import frontModule from '../host/front.sh';
import programSocketsModule from '../host/program-sockets.sh';
import socketFactsModule from '../host/socket-facts.sh';

export const LISTENER_PARTS: readonly ChangePart[] = [
  {
    name: 'listener',
    concerns: ({ listener }) => listener.action !== 'none',
    settings: ({ listener: { service, cut, inactive } }) => ({
      LISTENER: service,
      LISTENER_CUT: cut,
      INACTIVE_SOCKETS: inactive.map(programUnit).join(' '),
    }),
    facts: socketFactsModule,
    rollback: [frontModule, programSocketsModule],
  },
];
