/** The API version of this machine's docker command. */

import { execFile } from 'node:child_process';

/** The newest supported version, such as `1.41`; undefined without a docker command or an answer. */
export function cliApiVersion(env: Readonly<Record<string, string | undefined>>): Promise<string | undefined> {
  // No daemon: with one, the answer is only the version common to both.
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
