/** PKCS#12 in other programs: openssl and Java's keytool. */

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { issueCa, issueClient, issueClientAuthority } from '../../../../src/core/domain/pki/certificate.ts';
import { inspectCertificate, splitBundle } from '../../../../src/core/domain/pki/inspect.ts';
import { decryptKey, generateKey, keyMatches } from '../../../../src/core/domain/pki/keys.ts';
import { Secret } from '../../../../src/core/domain/secret.ts';
import { makePkcs12 } from '../../../../src/features/bundles/domain/pkcs12.ts';
import { opensslFiles } from '../../../support/openssl-files.ts';
import { publicKeyOf } from '../../../support/public-key.ts';

const run = promisify(execFile);
const now = new Date();
const passphrase = new Secret('correct horse battery');

const { directory, file, openssl } = opensslFiles();
let passFile: string;
beforeAll(async () => {
  passFile = await file('pass', passphrase.revealText());
});

// A longer RSA key is written like a short one.
test.each(['p256', 'ed25519', 'rsa2048'] as const)(
  'openssl reads our PKCS#12 of %s: same key, same chain, its name',
  async (keyType) => {
    const key = await generateKey(keyType);
    const { chain, bundle } = await makeBundle(key);
    const path = await file('ours.p12', bundle.reveal());
    const args = ['pkcs12', '-in', path, '-passin', `file:${passFile}`];
    const certs = await openssl(...args, '-nokeys');
    expect(splitBundle(certs)).toEqual(chain);
    expect(certs).toContain('friendlyName: ann on build');
    const keyPem = new Secret(await openssl(...args, '-nocerts', '-noenc'));
    expect((await decryptKey(keyPem)).revealText()).toBe(key.revealText());
    expect(keyMatches(chain[0] ?? '', keyPem)).toBe(true);
    const { stderr } = await run('openssl', [...args, '-info', '-noout']);
    expect(stderr).toMatch(/MAC: sha256, Iteration 100000/);
    expect(stderr.match(/PBES2, PBKDF2, AES-256-CBC, Iteration 600000, PRF hmacWithSHA256/g)).toHaveLength(2);
    await expect(run('openssl', ['pkcs12', '-in', path, '-passin', 'pass:wrong', '-noout'])).rejects.toThrow(
      /Mac verify error/,
    );
  },
);

/** Java starts in a third of the time. */
const JAVA = ['-J-XX:TieredStopAtLevel=1', '-J-XX:+UseSerialGC', '-J-Duser.language=en'];

test.each(['p256', 'rsa2048'] as const)(
  "Java's keytool opens our PKCS#12 of %s: one private key with its chain",
  async (keyType) => {
    const { chain, bundle } = await makeBundle(await generateKey(keyType));
    const path = await file(`java-${keyType}.p12`, bundle.reveal());
    // Unlike listing, copying opens the key itself.
    const copy = join(directory, `copy-${keyType}.p12`);
    await run('keytool', [
      ...[...JAVA, '-importkeystore', '-noprompt', '-srckeystore', path, '-srcstorepass:file', passFile],
      ...['-destkeystore', copy, '-deststoretype', 'PKCS12', '-deststorepass:file', passFile],
    ]);
    const copied = await openssl('pkcs12', '-in', copy, '-passin', `file:${passFile}`, '-nokeys');
    expect(splitBundle(copied).sort()).toEqual([...chain].sort());
    if (keyType !== 'p256') return;
    const list = ['-list', '-v', '-keystore', path, '-storetype', 'PKCS12', '-storepass:file', passFile];
    const { stdout } = await run('keytool', [...JAVA, ...list]);
    expect(stdout).toMatch(/Your keystore contains 1 entry/);
    expect(stdout).toMatch(/Alias name: ann on build/);
    expect(stdout).toMatch(/Entry type: PrivateKeyEntry/);
    expect(stdout).toMatch(/Certificate chain length: 2/);
    for (const pem of chain) expect(stdout).toContain(inspectCertificate(pem).fingerprint);
  },
);

test('openssl opens PKCS#12 under a passphrase beyond ASCII', async () => {
  const odd = new Secret('bätteríe ✓ 🔑');
  const oddFile = await file('odd-pass', odd.revealText());
  const key = await generateKey('p256');
  const { bundle } = await makeBundle(key, odd);
  const path = await file('odd.p12', bundle.reveal());
  expect(await openssl('pkcs12', '-in', path, '-passin', `file:${oddFile}`, '-nocerts', '-noenc')).toContain(
    key.revealText(),
  );
});

test('a PKCS#12 file of a foreign key or without a passphrase is not made', async () => {
  const key = await generateKey('p256');
  const { chain } = await makeBundle(key);
  const options = { chain, key, passphrase, name: 'ann' };
  await expect(makePkcs12({ ...options, key: await generateKey('p256') })).rejects.toMatchObject({
    code: 'E_PKCS12_KEY',
    exit: 2,
  });
  await expect(makePkcs12({ ...options, chain: [] })).rejects.toMatchObject({ code: 'E_PKCS12_KEY' });
  await expect(makePkcs12({ ...options, passphrase: new Secret('') })).rejects.toMatchObject({
    code: 'E_PKCS12_PASSPHRASE',
  });
});

async function makeBundle(key: Secret, secret = passphrase): Promise<{ chain: string[]; bundle: Secret }> {
  const ca = await issueCa({ name: 'Test', days: 100, now });
  const authority = await issueClientAuthority({ ca, clientName: 'ann', days: 50, now });
  const { cert } = await issueClient({ authority, name: 'ann', days: 10, now, publicKey: publicKeyOf(key) });
  const bundle = await makePkcs12({ key, chain: [cert], passphrase: secret, name: 'ann on build' });
  return { chain: splitBundle(cert), bundle };
}
