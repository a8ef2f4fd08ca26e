import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Secret } from '../../../../src/core/domain/secret.ts';
import { checkRecipient, decryptWith, encryptFor } from '../../../../src/features/team/store/age.ts';
import { findIdentities } from '../../../../src/features/team/store/identities.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

const PASSPHRASE = 'correct horse';
let home = '';
const keys: Record<string, { readonly file: string; readonly recipient: string }> = {};

beforeAll(() => {
  home = newHome();
  mkdirSync(home, { recursive: true });
  const ssh = (name: string, type: string[], passphrase = '') => {
    const file = join(home, name);
    execFileSync('ssh-keygen', ['-q', '-t', ...type, '-N', passphrase, '-C', 'ada@laptop', '-f', file]);
    keys[name] = { file, recipient: readFileSync(`${file}.pub`, 'utf8') };
  };
  ssh('ed25519', ['ed25519']);
  ssh('ed25519 with a passphrase', ['ed25519'], PASSPHRASE);
  ssh('rsa', ['rsa', '-b', '2048']);
  ssh('rsa with a passphrase', ['rsa', '-b', '2048'], PASSPHRASE);
  ssh('rsa in PEM', ['rsa', '-b', '2048', '-m', 'PEM']);
  const file = join(home, 'age');
  execFileSync('age-keygen', ['-o', file], { stdio: 'ignore' });
  keys.x25519 = { file, recipient: execFileSync('age-keygen', ['-y', file], { encoding: 'utf8' }) };
});
afterAll(removeHomes);

const NAMES = ['x25519', 'ed25519', 'ed25519 with a passphrase', 'rsa', 'rsa with a passphrase', 'rsa in PEM'];

describe('what is encrypted for a key', () => {
  test.each(NAMES)('%s is opened by it here, and by no other', async (name) => {
    const { file, recipient } = keys[name] as { file: string; recipient: string };
    const bytes = await encryptFor([await checkRecipient(recipient)], Buffer.from('the key'));
    const questions: object[] = [];
    const ask = async (question: object) => {
      questions.push(question);
      return new Secret(questions.length === 1 ? 'wrong' : PASSPHRASE);
    };
    const mine = await findIdentities({ env: { DOCKER_TLS_IDENTITY: file }, cwd: home, ask });
    expect(Buffer.from((await decryptWith(mine, bytes)) ?? '').toString()).toBe('the key');
    // Asks once for a file, however often it is used; the second question follows a wrong answer.
    await decryptWith(mine, bytes);
    expect(questions).toEqual(
      name.includes('passphrase')
        ? [
            { file, again: false },
            { file, again: true },
          ]
        : [],
    );
    const others = NAMES.filter((each) => each !== name).map((each) => keys[each]?.file);
    const strangers = await findIdentities({ env: { DOCKER_TLS_IDENTITY: others.join(':') }, cwd: home });
    expect(await decryptWith(strangers, bytes)).toBeUndefined();
  });

  test.each(NAMES.filter((name) => !name.includes('passphrase')))(
    '%s is opened by age, and the other way round',
    async (name) => {
      const { file, recipient } = keys[name] as { file: string; recipient: string };
      const ours = await encryptFor([await checkRecipient(recipient)], Buffer.from('the key'));
      expect(execFileSync('age', ['-d', '-i', file], { input: ours }).toString()).toBe('the key');
      const theirs = execFileSync('age', ['-r', recipient.trim()], { input: 'from age' });
      const mine = await findIdentities({ env: { DOCKER_TLS_IDENTITY: file }, cwd: home });
      expect(Buffer.from((await decryptWith(mine, theirs)) ?? '').toString()).toBe('from age');
    },
  );

  test('without a terminal, a passphrase is not waited for', async () => {
    const { file, recipient } = keys['ed25519 with a passphrase'] as { file: string; recipient: string };
    const bytes = await encryptFor([await checkRecipient(recipient)], Buffer.from('x'));
    const mine = await findIdentities({ env: { DOCKER_TLS_IDENTITY: file }, cwd: home });
    await expect(decryptWith(mine, bytes)).rejects.toMatchObject({ code: 'E_STORE_CLOSED', exit: 2 });
  });
});

describe('a recipient', () => {
  test.each([
    ['', 'neither'],
    ['age1nonsense', 'neither'],
    ['ssh-ed25519 AAAA', 'not whole'],
    ['ecdsa-sha2-nistp256 AAAAE2VjZHNh', 'not a recipient'],
    ['sk-ssh-ed25519@openssh.com AAAA', 'not a recipient'],
  ])('%j is refused', async (text) => {
    await expect(checkRecipient(text)).rejects.toMatchObject({ code: 'E_RECIPIENT', exit: 2 });
  });

  test('that is the private key is refused, and no part of it is shown', async () => {
    const key = 'AGE-SECRET-KEY-1QQPQYZ0Q5';
    await expect(checkRecipient(key)).rejects.toMatchObject({
      code: 'E_RECIPIENT',
      message: expect.not.stringContaining('1QQP'),
    });
  });

  test('of an SSH key is refused where its type is not one that opens files, is not that of its bytes, or it is cut short', async () => {
    const wire = (...parts: readonly (string | Buffer)[]) =>
      Buffer.concat(
        parts.map((part) => {
          const length = Buffer.alloc(4);
          length.writeUInt32BE(part.length);
          return Buffer.concat([length, Buffer.from(part)]);
        }),
      ).toString('base64');
    const bytes = Buffer.alloc(32, 9);
    const refused = [
      [`ssh-dss ${wire('ssh-dss', bytes)}`, expect.toSay('ssh-keys-only-ssh-rsa', 'ssh-ed25519')],
      [
        `ecdsa-sha2-nistp256 ${wire('ecdsa-sha2-nistp256', bytes)}`,
        expect.toSay('ssh-keys-only-ssh-rsa', 'ssh-ed25519'),
      ],
      ['sk-ssh-ed25519@openssh.com AAAA', expect.toSay('security-key-cannot')],
      [`ssh-ed25519 ${wire('ssh-rsa', bytes)}`, expect.stringMatching(/not whole/)],
      [
        `ssh-rsa ${wire('ssh-ed25519', Buffer.of(1, 0, 1), Buffer.alloc(256, 255))}`,
        expect.stringMatching(/not whole/),
      ],
      [`ssh-ed25519 ${wire('ssh-ed25519', bytes.subarray(1))}`, expect.stringMatching(/not whole/)],
    ] as const;
    for (const [text, message] of refused)
      await expect(checkRecipient(text)).rejects.toMatchObject({
        code: 'E_RECIPIENT',
        message,
      });
    await expect(checkRecipient(`ssh-ed25519 ${wire('ssh-ed25519', bytes)}`)).resolves.toContain('ssh-ed25519');
  });

  test('of an RSA key that is too short is refused', async () => {
    const file = join(home, 'short');
    execFileSync('ssh-keygen', ['-q', '-t', 'rsa', '-b', '1024', '-N', '', '-f', file]);
    await expect(checkRecipient(readFileSync(`${file}.pub`, 'utf8'))).rejects.toMatchObject({ code: 'E_RECIPIENT' });
  });
});

describe('an identity', () => {
  test('that others can read, is missing or is none is refused where it was named', async () => {
    const open = join(home, 'open');
    writeFileSync(open, 'AGE-SECRET-KEY-1', { mode: 0o644 });
    chmodSync(open, 0o644);
    const none = join(home, 'none');
    writeFileSync(none, 'text', { mode: 0o600 });
    for (const file of [open, none, join(home, 'missing')]) {
      await expect(findIdentities({ env: { DOCKER_TLS_IDENTITY: file }, cwd: home })).rejects.toMatchObject({
        ...{ code: 'E_SECRET_FILE', where: file },
      });
    }
    expect(await findIdentities({ env: { HOME: home }, cwd: home })).toEqual([]);
  });

  test('comes through a pipe as well', async () => {
    const pipe = join(home, 'pipe');
    execFileSync('mkfifo', ['-m', '600', pipe]);
    const script = 'exec 3<>"$1"; echo AGE-SECRET-KEY-1 >&3; echo ready; read -r line';
    const writer = spawn('sh', ['-c', script, 'sh', pipe], { stdio: ['pipe', 'pipe', 'ignore'] });
    await once(writer.stdout, 'data');
    const found = findIdentities({ env: { DOCKER_TLS_IDENTITY: pipe }, cwd: home });
    // The pipe is open here by now: its other end may close.
    writer.stdin.end('\n');
    expect(await found).toEqual([expect.objectContaining({ kind: 'age', file: pipe })]);
  });
});
