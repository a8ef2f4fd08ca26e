/** Records of exported client credentials. */

import { DockerTlsError } from '../../errors/errors.ts';
import type { Store } from '../adapters/store/store.ts';
import { type NewCopy, withHandedOut } from '../domain/trust/handed-out.ts';

/** Records a copy with the client, for `command`. False if the store is not writable now: the export itself is done. */
export async function rememberCopy(
  store: Store,
  command: string,
  client: string,
  copy: NewCopy,
  now: Date,
): Promise<boolean> {
  try {
    await store.withLock(command, async () => {
      const stored = (await store.read({ hosts: [] })).clients.get(client);
      if (stored === undefined) return;
      await store.write({ clients: { [client]: { ...stored, record: withHandedOut(stored, copy, now) } } });
    });
    return true;
  } catch (error) {
    if (error instanceof DockerTlsError) return false;
    throw error;
  }
}
