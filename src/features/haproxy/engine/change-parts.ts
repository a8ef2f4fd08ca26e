/** The listener's part of a change: its service, and sockets for programs on the host. */

import { usesListener } from '../../../core/domain/plan/listener.ts';
import type { ChangePart } from '../../../core/seams/change-parts.ts';
import { mountedRoleSockets } from '../domain/program-sockets.ts';
import { programUnit } from '../domain/socket-units.ts';
import { credentialFiles } from '../domain/trust-file.ts';
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
      INACTIVE_SOCKETS: inactive.map(({ name }) => programUnit(name)).join(' '),
    }),
    credentials: (plan, ca) => (usesListener(plan) ? credentialFiles(ca) : []),
    warnings: mountedRoleSockets,
    facts: socketFactsModule,
    rollback: [frontModule, programSocketsModule],
  },
];
