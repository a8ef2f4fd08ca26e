/** The error for a client's name that is taken. */

import { DockerTlsError } from '../../../errors/errors.ts';

/** `way`: the command with another name. */
export function clientExists(name: string, way: string): DockerTlsError {
  return new DockerTlsError('E_CLIENT_EXISTS', 'there is another client of this name already', {
    where: name,
    hints: [way, 'docker-tls client list'],
  });
}
