/** The CA that a file or a command names, beside the one of the store. */

import { isDeepStrictEqual } from 'node:util';
import type { StoredCa } from '../../../core/adapters/store/records.ts';
import { splitBundle } from '../../../core/domain/pki/inspect.ts';
import { newCaHints } from '../../../core/domain/trust/ca-refusals.ts';
import type { CredentialChange } from '../../../core/domain/trust/changes.ts';
import { DockerTlsError } from '../../../errors/errors.ts';

/** Imports the named CA, or updates how it signs. Paths of credentials are ignored, since they differ between computers. */
export function namedCa(known: StoredCa | undefined, ca: StoredCa): readonly CredentialChange[] {
  const [cert] = splitBundle(ca.cert);
  if (known !== undefined && splitBundle(known.cert)[0] === cert) {
    if (known.keyPem !== undefined || isDeepStrictEqual(signing(known), signing(ca))) return [];
  } else if (known !== undefined) throw caExists();
  return [{ kind: 'import-ca', ca }];
}

function signing({ record: { external, token, leafOnly, chain, wholeChain } }: StoredCa) {
  const { credentialFile: _, passphraseFile: __, ...signer } = { credentialFile: '', passphraseFile: '', ...external };
  return JSON.parse(JSON.stringify({ signer, token: token?.uri, leafOnly, chain, wholeChain }));
}

export function caExists(): DockerTlsError {
  return new DockerTlsError('E_CA_EXISTS', 'there is another CA in this store already', {
    hints: ['docker-tls ca show', 'keep this one apart: --home DIR', ...newCaHints()],
  });
}
