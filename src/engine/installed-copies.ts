/** Owns the copies of a client's credentials that docker uses on this computer: after a renewal they get the new ones. */

import { installIntoConfigDirectory } from '../adapters/docker/config-directory.ts';
import { readContext, writeContext } from '../adapters/docker/contexts.ts';
import type { StoredClient, StoreState } from '../adapters/store/records.ts';
import { splitBundle } from '../domain/pki/inspect.ts';
import { DockerTlsError } from '../errors/errors.ts';

export type CopiesRequest = {
  /** As it was before the renewal, or after it: both know whose copies these are. */
  readonly state: StoreState;
  /** With its new credentials. */
  readonly client: StoredClient;
};

export type CopiesOutcome = {
  /** Contexts that hold the new credentials now (or held them already). */
  readonly contexts: readonly string[];
  /** Whether a Docker config directory itself does. */
  readonly directory: boolean;
  /** Copies that were out of date and are not any more, in words. */
  readonly updated: readonly string[];
  /** Copies that are gone, or in whose place somebody else has put other files, in words; they are left alone. */
  readonly missing: readonly string[];
  /** Copies that could not be renewed (E_CLIENT_COPY); the others were. */
  readonly problems: readonly DockerTlsError[];
};

/**
 * Brings the copies that the client's record names up to date, each on its own: one that fails stops no other. They are where they were
 * made, whatever DOCKER_CONFIG is now. A client whose key is elsewhere has no copies here.
 */
export async function refreshCopies({ state, client }: CopiesRequest): Promise<CopiesOutcome> {
  const { record, ca, cert, key } = client;
  const contexts: string[] = [];
  const updated: string[] = [];
  const missing: string[] = [];
  const problems: DockerTlsError[] = [];
  let directory = false;
  if (key === undefined) return { contexts, directory, updated, missing, problems };
  async function attempt(where: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof DockerTlsError)) throw error;
      const { message, hints, details, cause } = error;
      problems.push(
        new DockerTlsError({ code: 'E_CLIENT_COPY', message, where: error.where ?? where, hints, details, cause }),
      );
    }
  }
  // The issuing CAs (during a rotation there are several) tell our own files also where a run died between the store and the copies.
  const issuers = [...state.issuers.values()].flatMap((one) => splitBundle(one.cert));
  const known = [...[...state.clients.values()].map((one) => one.cert), ...issuers];
  for (const copies of record.copies ?? []) {
    const { dockerConfig } = copies;
    for (const name of copies.contexts) {
      const what = `context ${name}`;
      await attempt(what, async () => {
        const there = await readContext({ name, dockerConfig });
        if (there === undefined || !there.ours) {
          missing.push(`${what} in ${dockerConfig}`);
          return;
        }
        const { changed } = await writeContext({ name, dockerConfig, host: there.host, ca, cert, key });
        contexts.push(name);
        if (changed) updated.push(what);
      });
    }
    if (!copies.directory) continue;
    await attempt(dockerConfig, async () => {
      const installed = await installIntoConfigDirectory({ dockerConfig, ca, cert, key, known }).catch(
        (error: unknown) => {
          if (error instanceof DockerTlsError && error.code === 'E_CLIENT_FILES_EXIST') return undefined;
          throw error;
        },
      );
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
