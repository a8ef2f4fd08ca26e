/** Signatures in OpenSSH's format, beside ssh-keygen itself. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fingerprintOf } from '../../../../src/core/domain/pki/ssh-wire.ts';
import { Secret } from '../../../../src/core/domain/secret.ts';
import { openSigningKey } from '../../../../src/features/audit/adapters/signing-key.ts';
import { allowedSigner } from '../../../../src/features/audit/domain/allowed-signers.ts';
import { checkDetached, NAMESPACE } from '../../../../src/features/audit/domain/signatures.ts';
import { readSignature } from '../../../../src/formats/sshsig.ts';

const NOW = new Date('2026-11-30T12:00:00Z');
const MESSAGE = Buffer.from('{"a report": true}\n');
const TYPES = [
  ['ed25519', []],
  ['rsa', ['-b', '2048']],
  ['ecdsa', ['-b', '256']],
  ['ecdsa', ['-b', '384']],
  ['ecdsa', ['-b', '521']],
] as const;
let directory: string;
const at = (name: string) => join(directory, name);
const keygen = (args: readonly string[], input?: Buffer) =>
  execFileSync('ssh-keygen', args, { input, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'docker-tls-sshsig-'));
  writeFileSync(at('report'), MESSAGE);
});
afterAll(() => rmSync(directory, { recursive: true }));

function newKey(type: string, options: readonly string[] = [], passphrase = ''): { file: string; line: string } {
  const file = at(`key-${Math.random()}`);
  // One round: the key of a passphrase is slow to derive on purpose.
  keygen(['-q', '-t', type, ...options, '-a', '1', '-N', passphrase, '-f', file]);
  return { file, line: readFileSync(`${file}.pub`, 'utf8') };
}
const blobOf = (line: string) => Buffer.from(line.split(' ')[1] ?? '', 'base64');

describe.each(TYPES)('%s %j', (type, options) => {
  test('ssh-keygen -Y verify takes ours, and we take its', async () => {
    const { file, line } = newKey(type, options);
    const key = await openSigningKey(file, undefined);
    expect(keygen(['-l', '-f', file])).toContain(` ${key.fingerprint} `);
    writeFileSync(at('signers'), `ops@example.org ${line}`);
    // Ten times: a number of ECDSA may begin with a zero byte.
    for (let times = 0; times < (type === 'ecdsa' ? 10 : 1); times += 1) {
      writeFileSync(at('sig'), key.sign(MESSAGE));
      const verify = ['-Y', 'verify', '-f', at('signers'), '-I', 'ops@example.org', '-n', NAMESPACE, '-s', at('sig')];
      expect(keygen(verify, MESSAGE)).toContain('Good "docker-tls-audit" signature for ops@example.org');
      expect(checkDetached(MESSAGE, key.sign(MESSAGE))).toEqual({ publicKey: blobOf(line), key: key.fingerprint });
    }
    rmSync(at('report.sig'), { force: true });
    keygen(['-q', '-Y', 'sign', '-f', file, '-n', NAMESPACE, at('report')]);
    expect(checkDetached(MESSAGE, readFileSync(at('report.sig'), 'utf8'))).toEqual({
      publicKey: blobOf(line),
      key: key.fingerprint,
    });
  });
});

test('what was not signed so does not hold', async () => {
  const { file } = newKey('ed25519');
  const signature = (await openSigningKey(file, undefined)).sign(MESSAGE);
  const problem = (message: Buffer, text: string) => (checkDetached(message, text) as { problem?: string }).problem;
  expect(problem(Buffer.from('{"a report": false}\n'), signature)).toSay('file-not-signed');
  expect(problem(MESSAGE, 'no signature')).toSay('not-signature-ssh-keygen-not');
  expect(problem(MESSAGE, signature.replace(/\n.{20}/, '\nAAAAAAAAAAAAAAAAAAAA'))).toSay(
    'not-signature-ssh-keygen-not',
  );
  rmSync(at('report.sig'), { force: true });
  keygen(['-q', '-Y', 'sign', '-f', file, '-n', 'file', at('report')]);
  expect(problem(MESSAGE, readFileSync(at('report.sig'), 'utf8'))).toSay('not-docker-tls-audit', '"file"');
});

test('allowed signers, as ssh-keygen reads them', () => {
  const { line } = newKey('ed25519');
  const key = blobOf(line);
  const who = (text: string) => allowedSigner(text, key, NOW);
  expect(who(`# ops\n\nother@example.org ${newKey('ed25519').line}ops@example.org ${line}`)).toBe('ops@example.org');
  expect(who(`ops namespaces="file,${NAMESPACE}" ${line}`)).toBe('ops');
  expect(who(`"ops,dev" valid-after="20261101",valid-before="20261201Z" ${line}`)).toBe('ops,dev');
  for (const options of [
    'namespaces="file"',
    'cert-authority',
    'valid-before="20261101"',
    // Without a Z it begins at midnight of the local time zone.
    'valid-after="20261202"',
    'valid-before="soon"',
    'valid-before="20269999"',
    'valid-before="20270229"',
    'valid-before="2026120125"',
    'unknown="x"',
  ])
    expect([options, who(`ops ${options} ${line}`)]).toEqual([options, undefined]);
  expect(who(`ops ${newKey('ed25519').line}`)).toBeUndefined();
  expect(who(`# ops ${line}`)).toBeUndefined();
  expect(who(` \t#ops ${line}`)).toBeUndefined();
  expect(who(`  ops ${line}`)).toBe('ops');
});

/** Of a FIDO security key: `printf hello | ssh-keygen -Y sign -n docker-tls-manifest` with the software key of OpenSSH's own tests. */
const FIDO = [
  'U1NIU0lHAAAAAQAAAEoAAAAac2stc3NoLWVkMjU1MTlAb3BlbnNzaC5jb20AAAAgima30s5OPDTcRVra2TDbXbk9oGBxMINnjSuEosPSQ/4AAAAEc3NoOgAAABNk',
  'b2NrZXItdGxzLW1hbmlmZXN0AAAAAAAAAAZzaGE1MTIAAABnAAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAQDKfJkvZYdEf5Y9gsWxbGnUCm5XfjLjE',
  'CYVqwUTuMCV1zVar/qZfz/MQq3DGX9XB8LLlmN/Wcx3db62/HqrdTAUBEjRWeA==',
].join('');

test('a FIDO security key is an allowed signer, by every name of its type', () => {
  const key = readSignature(Buffer.from(FIDO, 'base64'))?.publicKey ?? Buffer.alloc(0);
  const line = (type: string) =>
    `ops namespaces="${NAMESPACE}" ${type}@openssh.com ${key.toString('base64')} her key\n`;
  // ssh-keygen reads the same line.
  writeFileSync(at('fido'), line('sk-ssh-ed25519').split(' ').slice(2).join(' '));
  expect(keygen(['-l', '-f', at('fido')])).toContain(fingerprintOf(key));
  for (const type of ['sk-ssh-ed25519', 'sk-ecdsa-sha2-nistp256'])
    expect(allowedSigner(line(type), key, NOW)).toBe('ops');
  expect(allowedSigner(line('sk-ssh-ed25519').replace('ops ', 'ops cert-authority,'), key, NOW)).toBeUndefined();
});

test('a passphrase is asked for, three times at most; without a terminal the key stays closed', async () => {
  const { file, line } = newKey('ed25519', [], 'correct horse');
  const asked: boolean[] = [];
  const ask =
    (answers: readonly string[]) =>
    async ({ again = false }) => {
      asked.push(again);
      return new Secret(answers[asked.length - 1] ?? 'wrong');
    };
  expect((await openSigningKey(file, ask(['no', 'correct horse']))).fingerprint).toBe(fingerprintOf(blobOf(line)));
  expect(asked).toEqual([false, true]);
  asked.length = 0;
  await expect(openSigningKey(file, ask([]))).rejects.toMatchObject({ code: 'E_SSH_KEY_PASSPHRASE' });
  expect(asked).toEqual([false, true, true]);
  await expect(openSigningKey(file, undefined)).rejects.toMatchObject({ code: 'E_SSH_KEY_PASSPHRASE' });
});

test('what is no private SSH key cannot sign', async () => {
  const texts: readonly (readonly [string, unknown])[] = [
    ['# created: today\nAGE-SECRET-KEY-1QQ\n', expect.toSay('whole')],
    [IDENTITY.replace('1GF', '1GG'), expect.toSay('whole')],
    [newKey('ed25519').line, expect.toSay('public-key')],
    ['hello\n', expect.toSay('ssh-key')],
  ];
  for (const [text, message] of texts) {
    writeFileSync(at('other'), text, { mode: 0o600 });
    const opened = openSigningKey(at('other'), undefined);
    await expect(opened).rejects.toMatchObject({ code: 'E_AUDIT_SIGNER', message });
  }
});

/** Of age's own tests. */
const IDENTITY = 'AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX';

test('an identity of age signs: ssh-keygen takes it, and so does a line with its recipient', async () => {
  const recipient = await identityToRecipient(IDENTITY);
  writeFileSync(at('age'), `# created: today\n# public key: ${recipient}\n${IDENTITY}\n`, { mode: 0o600 });
  const key = await openSigningKey(at('age'), undefined);
  const checked = checkDetached(MESSAGE, key.sign(MESSAGE)) as { publicKey: Buffer };
  expect(fingerprintOf(checked.publicKey)).toBe(key.fingerprint);
  writeFileSync(at('sig'), key.sign(MESSAGE));
  writeFileSync(at('signers'), `ada ssh-ed25519 ${checked.publicKey.toString('base64')}\n`);
  const verify = ['-Y', 'verify', '-f', at('signers'), '-I', 'ada', '-n', NAMESPACE, '-s', at('sig')];
  expect(keygen(verify, MESSAGE)).toContain('Good "docker-tls-audit" signature for ada');
  expect(allowedSigner(`ada ${recipient}\n`, checked.publicKey, NOW)).toBe('ada');
  expect(allowedSigner(`ada ${await newRecipient()}\n`, checked.publicKey, NOW)).toBeUndefined();
});

const newRecipient = async () => identityToRecipient(await generateIdentity());

test('no hint reads a pipe, which would wait for ever', async () => {
  execFileSync('mkfifo', [at('pipe')]);
  for (const text of ['hello\n', newKey('ed25519').line]) {
    const opened = openSigningKey(at('pipe'), undefined).catch((error) => error);
    writeFileSync(at('pipe'), text);
    expect((await opened).hints).toEqual(['ssh-keygen -t ed25519 -f KEY']);
  }
});

test('a key that is not there', async () => {
  await expect(openSigningKey(at('none'), undefined)).rejects.toMatchObject({ code: 'E_AUDIT_SIGNER' });
});
