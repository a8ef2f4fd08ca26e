/** docker's copies of a client's credentials on this machine, updated after a renewal. */

import type { StoredClient, StoreState } from '../../../core/adapters/store/records.ts';
import { splitBundle } from '../../../core/domain/pki/inspect.ts';
import { noKeyHere } from '../../../core/domain/trust/client-refusals.ts';
import type { CopiesOutcome } from '../../../core/seams/copies.ts';
import { DockerTlsError, failureOf } from '../../../errors/errors.ts';
import { installIntoConfigDirectory } from './config-directory.ts';
import { readContext, writeContext } from './contexts.ts';

/** Updates each copy separately, so that one failure stops no other. Their paths are the recorded ones, whatever DOCKER_CONFIG is now. */
export async function refreshCopies(
  { record, ca, cert, key }: StoredClient,
  state: StoreState,
): Promise<CopiesOutcome> {
  if (key === undefined) throw noKeyHere([record.name], record.name);
  const files = { ca, cert, key };
  // The issuing CAs (several during a rotation) identify our files even if a run died between the store and the copies.
  const issuers = [...state.issuers.values()].flatMap((one) => splitBundle(one.cert));
  const known = [...[...state.clients.values()].map((one) => one.cert), ...issuers];
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
  for (const { dockerConfig, contexts: names, directory: installs } of record.copies ?? []) {
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
