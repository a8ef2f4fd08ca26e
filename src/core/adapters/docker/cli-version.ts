/** The question which version of the API the docker command of this computer speaks. */

import { execFile } from 'node:child_process';

/** The newest that it speaks, such as `1.41`; undefined where there is no docker command, or it does not say. */
export function cliApiVersion(env: Readonly<Record<string, string | undefined>>): Promise<string | undefined> {
  // No daemon is asked: it would only say what both have in common.
  const alone = { ...env, DOCKER_HOST: 'unix:///nowhere', DOCKER_CONTEXT: '', DOCKER_API_VERSION: '' };
  return new Promise((resolve) => {
    execFile(
      'docker',
      ['version', '--format', '{{.Client.DefaultAPIVersion}}'],
      { env: alone, timeout: 5000 },
      (_, out) => resolve(/^1\.\d{1,4}$/.exec(String(out).trim())?.[0]),
    );
  });
}
