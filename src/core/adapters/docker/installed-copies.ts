/** docker's copies of a client's credentials on this machine, updated after a renewal. */

import { DockerTlsError, failureOf } from '../../../errors/errors.ts';
import type { CopiesOutcome, CopiesRequest } from '../../runtime.ts';
import { installIntoConfigDirectory } from './config-directory.ts';
import { readContext, writeContext } from './contexts.ts';

/** Updates each copy separately, so that one failure stops no other. Their paths are the recorded ones, whatever DOCKER_CONFIG is now. */
export async function refreshCopies({ copies, files, known }: CopiesRequest): Promise<CopiesOutcome> {
  const contexts: string[] = [];
  const updated: string[] = [];
  const missing: string[] = [];
  const problems: DockerTlsError[] = [];
  let directory = false;
  async function attempt(place: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const { message, where, hints, details, cause } = failureOf(error).orAt(place);
      problems.push(new DockerTlsError('E_CLIENT_COPY', message, { where, hints, details, cause }));
    }
  }
  for (const { dockerConfig, contexts: names, directory: installs } of copies) {
    for (const name of names) {
      const what = `context ${name}`;
      await attempt(what, async () => {
        const there = await readContext({ name, dockerConfig });
        if (there === undefined || !there.ours) {
          missing.push(`${what} in ${dockerConfig}`);
          return;
        }
        const { changed } = await writeContext({ name, dockerConfig, host: there.host, ...files });
        contexts.push(name);
        if (changed) updated.push(what);
      });
    }
    if (!installs) continue;
    await attempt(dockerConfig, async () => {
      const installed = await installIntoConfigDirectory({ dockerConfig, ...files, known }).catch((error: unknown) => {
        if (error instanceof DockerTlsError && error.code === 'E_CLIENT_FILES_EXIST') return undefined;
        throw error;
      });
      if (installed === undefined) {
        missing.push(`the files in ${dockerConfig}`);
        return;
      }
      directory = true;
      if (installed.changed) updated.push('the config directory');
    });
  }
  return { contexts, directory, updated, missing, problems };
}
