/** Hosts as witnesses of a shared store: each keeps the revision from which it was last changed. */

import { type HostState, type StoreMark, timeOfHost } from '../../../core/domain/plan/host-state.ts';
import { asWritten, DockerTlsError, printable } from '../../../errors/errors.ts';
import type { Opened } from './opened.ts';
import type { Session } from './session.ts';
import { compareWith, markOf, type StoreLine } from './witnesses.ts';

/**
 * Fails with E_HOST_NEWER, E_HOST_FORKED (exit 4) unless the store continues what the host has seen of it. Before failing it reads the store
 * again, because another run may have committed since the last read.
 */
export async function requireSeen(
  session: Session,
  current: () => Promise<Opened>,
  host: string,
  state: HostState | undefined,
): Promise<void> {
  if (state?.store === undefined) return;
  const { store: seen } = state;
  let opened = await current();
  let line = await compareWith(session, opened, seen);
  if (line === 'older') {
    opened = await session.read(0);
    line = await compareWith(session, opened, seen);
  }
  const mark = markOf(opened);
  // A store without a revision is new.
  if (line !== 'continues' && mark !== undefined) throw refusal(host, state, line, mark);
}

/** Refusal of a store that is older than what the host has seen of it, or not of the same line. No run changes any host from such a store. */
function refusal(host: string, state: HostState, line: StoreLine, mark: StoreMark): DockerTlsError {
  const last = state.generations.at(-1);
  const who = last === undefined ? '' : `, by ${printable(last.by, 100)} on ${timeOfHost(last.at)}`;
  const from = `this host was changed from commit ${state.store?.number} of the store${who}`;
  const takeOver = `docker-tls apply ${host} --take-over`;
  if (line === 'older')
    return new DockerTlsError('E_HOST_NEWER', `${from}, and the store is at commit ${mark.number}`, {
      where: host,
      details: [
        'the store was restored from a backup, or an old state was put in its place: clients that were revoked since would be accepted again',
      ],
      hints: [
        asWritten('on the computer that used the store last: docker-tls store restore'),
        `if the newer state is lost for good: ${takeOver}`,
      ],
    });
  if (line === 'other')
    return new DockerTlsError('E_HOST_FORKED', `${from}, and this is another store`, {
      where: host,
      details: [
        `the host has seen the store ${state.store?.id}, and this one is ${mark.id}`,
        'the store was copied or made anew, or its server shows a store of somebody else in its place',
      ],
      hints: [
        asWritten('on the computer that changed the host last: docker-tls store check'),
        `if this store is a copy of that one, made by your team: ${takeOver}`,
      ],
    });
  return new DockerTlsError(
    'E_HOST_FORKED',
    `${from}, which is not in the history of the store (commit ${mark.number})`,
    {
      where: host,
      details: [
        `the host has seen ${state.store?.hash}, and the store is at ${mark.hash}`,
        'the store was restored from a backup and used since, or its server shows operators different states: a client that is revoked in one of them may be accepted in the other',
      ],
      hints: [
        asWritten('on the computer that changed the host last: docker-tls store check'),
        `if the store as it is now has every revocation: ${takeOver}`,
      ],
    },
  );
}
