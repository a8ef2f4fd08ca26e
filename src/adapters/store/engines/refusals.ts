/** Owns the words for what every engine refuses. */

import { DockerTlsError } from '../../../errors/errors.ts';

export function changed(url: string): DockerTlsError {
  return new DockerTlsError('E_STORE_CHANGED', 'other runs kept changing the store in the meantime', {
    where: url,
    hints: ['run the same command again: it begins from what is stored now'],
  });
}
