/** Files of this computer that the store's CA needs to sign: its credential, or the PIN and the module of its token. */

import type { StoredCa } from '../../../core/adapters/store/records.ts';
import type { ApiKind } from '../../../core/domain/external-ca.ts';
import { noCa } from '../../../core/domain/trust/ca-refusals.ts';
import { usage } from '../../../errors/errors.ts';
import type { SignerFlags } from '../domain/external-ca-flags.ts';
import { signerOf } from './signer.ts';

const FLAGS: Readonly<Record<ApiKind, 'stepCa' | 'cfssl' | 'vault'>> = {
  'step-ca': 'stepCa',
  cfssl: 'cfssl',
  vault: 'vault',
};

/**
 * The CA with the files in these flags, and those named before in place of the others. Undefined if none is named. Fails with E_NO_CA,
 * E_USAGE, E_SECRET_FILE (exit 2).
 */
export function withNamedFiles(ca: StoredCa | undefined, flags: SignerFlags, cwd: string): StoredCa | undefined {
  const { credentialFile, passphraseFile, pkcs11, pinFile } = flags;
  if ([credentialFile, passphraseFile, pkcs11, pinFile].every((one) => one === undefined)) return undefined;
  if (ca === undefined) throw noCa();
  const { external, token } = ca.record;
  const api = external?.kind === 'command' ? undefined : external;
  if (api === undefined && token === undefined)
    throw usage('the CA of this store needs no file of this computer to sign', ['docker-tls ca show']);
  const address = api === undefined ? {} : { [FLAGS[api.kind]]: api.url };
  const key = token === undefined ? pkcs11 : (pkcs11 ?? token.uri);
  // What is not named stays: a new PIN file is for the module named before.
  const given = {
    ...address,
    credentialFile: credentialFile ?? api?.credentialFile,
    passphraseFile: passphraseFile ?? api?.passphraseFile,
    pkcs11: key,
    pinFile: pinFile ?? token?.pinFile,
  };
  const named = signerOf(given, api?.trust ?? '', cwd);
  const files = named.external?.kind === 'command' ? undefined : named.external;
  if (api !== undefined && files !== undefined)
    return {
      ...ca,
      record: {
        ...ca.record,
        external: { ...api, credentialFile: files.credentialFile, passphraseFile: files.passphraseFile },
      },
    };
  if (token?.uri !== named.token?.uri)
    throw usage(`the key of the CA of this store is ${token?.uri ?? 'in no token'}`, ['docker-tls ca show']);
  const module = named.token?.module ?? token?.module;
  return { ...ca, record: { ...ca.record, token: named.token && { ...named.token, module } } };
}
