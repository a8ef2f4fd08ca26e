/** Check of the route to a host's TLS port, before any change instead of after a restart. */

import type { ErrorCode } from '../../errors/catalogue.ts';
import { DockerTlsError } from '../../errors/errors.ts';
import { judgeFirewall } from '../domain/plan/firewall.ts';
import { type Login, sudoCommand } from '../domain/quote.ts';
import type { Probe, ProbeOutcome } from '../runtime.ts';
import { probeAs } from './probes.ts';
import { hintsFor, type VerifiedAt } from './verify-host.ts';

/** Three TCP attempts: at once, after one second and after three. */
const TIMEOUT_MS = 5000;

/**
 * The obstacle (E_ADDRESS, E_PORT_FILTERED; exit 4), or undefined. A refused connection counts as an open route: nothing listens yet.
 * `known`: facts of the host, whose own firewall may be the cause: for the first hints.
 */
export async function wayProblem(
  probe: Probe,
  host: string,
  at: VerifiedAt,
  known?: { readonly facts: Parameters<typeof judgeFirewall>[0]; readonly login: Login },
): Promise<DockerTlsError | undefined> {
  const outcome = await probeAs(probe, 'plain', { ...at, ca: '', timeoutMs: TIMEOUT_MS, now: new Date(0) });
  const found = obstacle(outcome, at);
  if (found === undefined || outcome.kind === 'accepted') return undefined;
  const doubt = known && judgeFirewall(known.facts, at.port).doubt;
  const commands =
    doubt?.hints.map((hint) => sudoCommand(known?.login ?? { destination: host }, ...hint.split(' '))) ?? [];
  return new DockerTlsError(...found, {
    where: host,
    hints: [...commands, ...hintsFor(at, outcome.cause)],
    details: doubt ? [doubt.words] : [],
  });
}

function obstacle(outcome: ProbeOutcome, { address, port }: VerifiedAt): [ErrorCode, string] | undefined {
  if (outcome.kind === 'accepted') return undefined;
  switch (outcome.cause) {
    case 'name-not-found':
      return ['E_ADDRESS', `${address} does not resolve here, and clients would dial it`];
    case 'unreachable':
      return ['E_PORT_FILTERED', `this computer has no route to port ${port} of ${address}, or a firewall refuses it`];
    case 'timed-out':
      if (outcome.stage !== 'connect') return undefined;
      return [
        'E_PORT_FILTERED',
        `port ${port} of ${address} does not answer this computer: a firewall drops the connection`,
      ];
    default:
      return undefined;
  }
}
