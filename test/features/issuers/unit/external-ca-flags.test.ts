/** Flags of an external CA, parsed without access to files or the CA. */

import { expect, test } from 'vitest';
import {
  caTokenOf,
  externalCaOf,
  type SignerFlags,
} from '../../../../src/features/issuers/domain/external-ca-flags.ts';

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
  [{ ...api, cfssl: 'https://a', vault: 'https://b/v1/pki' }, expect.stringMatching(/give one of/)],
  [{ signCommand: 'sign', cfssl: 'https://a' }, expect.stringMatching(/give one of/)],
  [{ ...api }, expect.stringMatching(/belong to --step-ca, --cfssl or --vault/)],
  [{ cfssl: 'https://a' }, expect.stringMatching(/needs --credential-file/)],
  [
    { ...api, cfssl: 'https://a', passphraseFile: 'p' },
    expect.stringMatching(/--passphrase-file belongs to --step-ca/),
  ],
  [{ ...api, cfssl: 'a' }, expect.stringMatching(/is not a URL/)],
  [{ ...api, cfssl: 'http://a' }, expect.stringMatching(/only https:/)],
  [{ ...api, cfssl: 'https://u:p@a' }, expect.stringMatching(/no user, password/)],
  [{ ...api, vault: 'https://a/v1' }, expect.toSay('path-pki-mount')],
  [{ ...api, cfssl: 'https://a', profile: ['server=../x'] }, expect.stringMatching(/is not server=NAME/)],
  [{ pinFile: 'pin' }, expect.stringMatching(/--pin-file belongs to --pkcs11/)],
  [{ pkcs11: 'pkcs11:token=a' }, expect.stringMatching(/not a URI of a key/)],
  [{ pkcs11: 'pkcs11:id=1?pin-value=1' }, expect.toSay('readable-every-local-user')],
  [{ pkcs11: 'pkcs11:id=1?slot=1' }, expect.toSay('slot-not-supported')],
  [{ pkcs11: 'pkcs11:id=1?module-path=a.so' }, expect.stringMatching(/absolute path/)],
])('are refused: %j', (flags, why) => {
  expect(() => read(flags)).toThrow(expect.objectContaining({ message: why }));
});
