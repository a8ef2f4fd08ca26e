/** Limits of a commit to a shared store. */

import { DockerTlsError } from '../../../errors/errors.ts';
import { MOST, type Snapshot } from '../engines/engine.ts';
import { MOST_SIGNERS, SIGNERS, type Signers } from './signers.ts';

const MOST_LINES = 2000;

/** The signed message of a commit is read with every log. */
export function shortened(lines: readonly string[]): string[] {
  return lines.length <= MOST_LINES ? [...lines] : [...lines.slice(0, MOST_LINES), `${lines.length - MOST_LINES} more`];
}

/** Fails if the store would exceed the read limits. `signers`: the chain in the files. */
export function requireReadable(url: string, files: Snapshot['files'], signers: Signers): void {
  const { lists, operators, bytes: longest } = MOST_SIGNERS;
  const tooMany = signers.length > lists || signers.some((list) => list.operators.length > operators);
  if (tooMany || (files.get(SIGNERS)?.length ?? 0) > longest)
    throw new DockerTlsError(
      'E_STORE_FULL',
      `the list of all operators that this store ever had would exceed its limits: ${lists.toLocaleString('en')} changes, ${operators.toLocaleString('en')} operators, ${longest / 1024 / 1024} MB`,
      {
        where: url,
        details: ['a copy of the store begins with the present operators'],
        hints: ['docker-tls store copy --to git+ssh://git@HOST/PATH.git'],
      },
    );
  const bytes = [...files.values()].reduce((sum, { length }) => sum + length, 0);
  if (files.size <= MOST.files && bytes <= MOST.bytes) return;
  const most = `${MOST.files.toLocaleString('en')} files and ${MOST.bytes / 1024 / 1024} MB`;
  throw new DockerTlsError('E_STORE_FULL', `a shared store has at most ${most}`, {
    where: url,
    hints: ['docker-tls forget HOST'],
  });
}
