/** A removal: the change, and the docker contexts removed with the hosts. */

import type { CommandResult } from '../../cli/command.ts';
import type { DockerTlsError } from '../../errors/errors.ts';
import type { Removed } from '../actions/remove.ts';
import { listWords } from '../domain/words.ts';
import { type Around, renderChange } from './change.ts';

export function renderRemoved({ changed, contexts, errors, stored }: Removed, around: Around): CommandResult {
  const { result, text, ...rest } = renderChange(changed, around);
  const words = `docker ${contexts.length === 1 ? 'context' : 'contexts'} ${listWords(contexts, 12)}`;
  const ending = changed.planned ? `\n\nwould also be removed: ${words}` : `\n  also removed: ${words}`;
  return {
    ...rest,
    result: { ...result, contexts },
    text: contexts.length > 0 ? `${text}${ending}` : text,
    errors: [...(rest.errors ?? []).map((error) => offeringForget(error, stored)), ...errors],
  };
}

/**
 * Errors of a host that may no longer exist, or whose address another host has now. A host that rolled back a change (exit status 5)
 * exists.
 */
const GONE = [
  'E_SSH_TIMEOUT',
  'E_SSH_UNREACHABLE',
  'E_SSH_REFUSED',
  'E_SSH_NAME',
  'E_SSH_LOST',
  'E_SSH_HOST_KEY_UNKNOWN',
  'E_SSH_HOST_KEY_CHANGED',
];

export function offeringForget(error: DockerTlsError, stored: ReadonlySet<string>): DockerTlsError {
  if (!GONE.includes(error.code) || error.exit === 5 || error.where === undefined || !stored.has(error.where))
    return error;
  return error.hinting([...error.hints, `if the host no longer exists: docker-tls forget ${error.where}`]);
}
