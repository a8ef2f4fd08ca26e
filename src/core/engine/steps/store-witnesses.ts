/** Hosts as witnesses of a shared store: what each has seen of it is compared with the store before a run changes any of them. */

import type { ErrorCode } from '../../../errors/catalogue.ts';
import type { DockerTlsError } from '../../../errors/errors.ts';
import { specsOf, type Wanted } from '../../domain/trust/changes.ts';
import type { ChangeContext } from '../intent.ts';
import { overHosts } from '../pool.ts';
import { openHost } from './open-host.ts';

/** Whether the run accepts a store that hosts have seen newer, or in another line: `--take-over`, and the removal of docker-tls. */
export function takesAnyStore({ target }: Pick<Wanted, 'target'>): boolean {
  return target.kind === 'generation' ? target.to === 'none' : target.takeOver === true;
}

const REFUSALS: ReadonlySet<ErrorCode> = new Set<ErrorCode>(['E_HOST_NEWER', 'E_HOST_FORKED']);

/**
 * Ends the run before it changes anything if any of its hosts has seen another store. Hosts that were not planned yet are asked now: the
 * first of them would be changed before the last one is asked. One that does not answer fails at its turn.
 */
export async function askWitnesses({ wanted, run, hosts }: ChangeContext): Promise<void> {
  if (takesAnyStore(wanted)) return;
  const planned = hosts.length > 0 || !run.store.shared;
  const asked = planned
    ? hosts
    : await overHosts(specsOf(wanted), { ...run, canary: 0, maxFailures: undefined }, async (spec, line) => {
        const { session, facts } = await openHost(spec, run, line);
        await session.close();
        await run.store.requireSeen(spec.name, facts.state);
        line.pause();
      });
  const refusal = asked
    .flatMap((one): readonly DockerTlsError[] => (one.kind === 'failed' ? one.errors : []))
    .find(({ code }) => REFUSALS.has(code));
  if (refusal !== undefined) throw refusal;
}
