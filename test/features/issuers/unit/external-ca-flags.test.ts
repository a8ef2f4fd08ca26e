/** Flags of an external CA, parsed without access to files or the CA. */

import { expect, test } from 'vitest';
import type { SignerFlags } from '../../../../src/core/domain/external-ca.ts';
import { caTokenOf, externalCaOf } from '../../../../src/features/issuers/domain/external-ca-flags.ts';

const read = (flags: SignerFlags) => [externalCaOf(flags, 'PEM', '/work'), caTokenOf(flags, '/work')];
const api = { credentialFile: 'key' };

test('become a record with absolute paths', () => {
  const vault = 'https://vault.example.org:8200/v1/pki/';
  expect(read({ ...api, vault, profile: ['server=web'], pkcs11: 'pkcs11:object=ca?pin-source=file:pin' })).toEqual([
    {
      ...{ kind: 'vault', url: vault.slice(0, -1), trust: 'PEM', credentialFile: '/work/key' },
      profiles: { server: 'web', client: 'docker-client', issuer: 'root/sign-intermediate' },
    },
    { uri: 'pkcs11:object=ca', pinFile: '/work/pin' },
  ]);
  expect(read({})).toEqual([undefined, undefined]);
});

test.each<[SignerFlags, RegExp]>([
  [{ ...api, cfssl: 'https://a', vault: 'https://b/v1/pki' }, /give one of/],
  [{ signCommand: 'sign', cfssl: 'https://a' }, /give one of/],
  [{ ...api }, /belong to --step-ca, --cfssl or --vault/],
  [{ cfssl: 'https://a' }, /needs --credential-file/],
  [{ ...api, cfssl: 'https://a', passphraseFile: 'p' }, /--passphrase-file belongs to --step-ca/],
  [{ ...api, cfssl: 'a' }, /is not a URL/],
  [{ ...api, cfssl: 'http://a' }, /only https:/],
  [{ ...api, cfssl: 'https://u:p@a' }, /no user, password/],
  [{ ...api, vault: 'https://a/v1' }, /path of the PKI mount/],
  [{ ...api, cfssl: 'https://a', profile: ['server=../x'] }, /is not server=NAME/],
  [{ pinFile: 'pin' }, /--pin-file belongs to --pkcs11/],
  [{ pkcs11: 'pkcs11:token=a' }, /not a URI of a key/],
  [{ pkcs11: 'pkcs11:id=1?pin-value=1' }, /readable by every local user/],
  [{ pkcs11: 'pkcs11:id=1?slot=1' }, /slot is not supported/],
  [{ pkcs11: 'pkcs11:id=1?module-path=a.so' }, /absolute path/],
])('are refused: %j', (flags, why) => {
  expect(() => read(flags)).toThrow(why);
});
