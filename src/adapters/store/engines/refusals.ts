/** Owns the words for what every engine refuses. */

import { DockerTlsError } from '../../../errors/errors.ts';

export function changed(url: string): DockerTlsError {
  return new DockerTlsError({
    code: 'E_STORE_CHANGED',
    where: url,
    message: 'other runs kept changing the store in the meantime',
    hints: ['run the same command again: it begins from what is stored now'],
  });
}
