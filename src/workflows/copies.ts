/** Owns the copies of a client's papers that docker uses on this computer: after a renewal they get the new ones. */

import { installIntoConfigFolder } from '../docker/config-folder.ts';
import { readContext, writeContext } from '../docker/contexts.ts';
import { DockerTlsError } from '../errors.ts';
import type { StoredClient, StoreState } from '../store/records.ts';

export type CopiesRequest = {
  /** As it was before the renewal, or after it: both know whose copies these are. */
  readonly state: StoreState;
  /** With its new papers. */
  readonly client: StoredClient;
  /** Docker's config folder. */
  readonly dockerConfig: string;
};

export type CopiesOutcome = {
  /** Contexts that hold the new papers now (or held them already). */
  readonly contexts: readonly string[];
  /** Whether the config folder itself does. */
  readonly folder: boolean;
  /** Copies that could not be renewed; the others were. */
  readonly problems: readonly DockerTlsError[];
};

/**
 * Brings the contexts and the config folder that the client's record names up to date, each on its own: one that fails stops no other.
 * A context that is gone, or that somebody else has made anew, is left alone. A client whose key is elsewhere has no copies here.
 */
export async function refreshCopies({ state, client, dockerConfig }: CopiesRequest): Promise<CopiesOutcome> {
  const { record, ca, cert, key } = client;
  const contexts: string[] = [];
  const problems: DockerTlsError[] = [];
  if (key === undefined) return { contexts, folder: false, problems };
  async function attempt(where: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!(error instanceof DockerTlsError)) throw error;
      problems.push(error.where === undefined ? error.at(where) : error);
    }
  }
  for (const name of record.contexts ?? []) {
    await attempt(`context ${name}`, async () => {
      const there = await readContext({ name, dockerConfig });
      if (there === undefined || !there.ours) return;
      await writeContext({ name, dockerConfig, host: there.host, ca, cert, key });
      contexts.push(name);
    });
  }
  let folder = false;
  if (record.configFolder === true) {
    // The issuing CA tells our own files also where a run died between the store and the copies.
    const known = [
      ...[...state.clients.values()].map((one) => one.cert),
      ...[...state.issuers.values()].map((one) => one.cert),
    ];
    await attempt(dockerConfig, async () => {
      await installIntoConfigFolder({ dockerConfig, ca, cert, key, known });
      folder = true;
    });
  }
  return { contexts, folder, problems };
}
