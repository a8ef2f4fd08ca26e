/** A store whose hosts are to accept two CAs: another one stands in the place of the first, which is still trusted. */

import type { StoreState } from '../../src/core/adapters/store/records.ts';
import { openStore } from '../../src/core/adapters/store/store.ts';
import { parseSan } from '../../src/core/domain/pki/san.ts';
import { Secret } from '../../src/core/domain/secret.ts';
import { CA_DEFAULTS, completeHost } from '../../src/core/domain/settings.ts';
import { activeClients } from '../../src/core/domain/trust/clients.ts';
import { desiredServer } from '../../src/core/domain/trust/server.ts';
import { viewOf } from '../../src/core/domain/trust/view.ts';
import { openIssuer } from '../../src/core/engine/issue.ts';
import { NO_PASSPHRASE, SIGNERS } from './issued-store.ts';

/** Every client gets an issuing CA under the new one, as in the first stage of a rotation. `words`: the passphrase of the keys. */
export async function replaceCa(home: string, words?: string): Promise<void> {
  const store = openStore(home);
  await store.withLock('test', async () => {
    const state = await store.read();
    const given = async () => new Secret(words ?? '');
    const passphrase =
      words === undefined ? NO_PASSPHRASE : { ...NO_PASSPHRASE, forNewCa: given, forExistingCa: given };
    const issuer = openIssuer(state, { passphrase, runtime: SIGNERS, approve: async () => {}, now: new Date() });
    const clients = activeClients(state).map(({ record }) => record);
    await store.write(
      await issuer.carryOut([
        { kind: 'replace-ca', ca: CA_DEFAULTS, lost: false },
        ...clients.map(({ name, keyType }) => ({ kind: 'issuing-ca', client: name, keyType }) as const),
      ]),
    );
  });
}

/** The desired server credentials of build-1, with a renewed certificate. */
export function wantedServer(state: StoreState, noOverlap: boolean) {
  const spec = completeHost({ name: 'build-1', ssh: { destination: '127.0.0.1' } });
  const now = new Date();
  const view = viewOf(state, now);
  const names = [parseSan('127.0.0.1')];
  return desiredServer({ spec, names, view, state, onHost: true, force: 'rotated', noOverlap, now });
}

/** Issues what `wantedServer` gave. */
export function issueServer(state: StoreState, { certificate }: ReturnType<typeof wantedServer>) {
  if (!('issue' in certificate)) throw new Error('nothing to issue');
  return openIssuer(state, {
    passphrase: NO_PASSPHRASE,
    runtime: SIGNERS,
    approve: async () => {},
    now: new Date(),
  }).server('build-1', certificate.issue);
}
