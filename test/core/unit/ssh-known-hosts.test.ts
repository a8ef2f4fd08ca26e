/** known_hosts in all its forms, checked against ssh-keygen if it is installed. */

import { execFileSync } from 'node:child_process';
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  addKnownHost,
  judgeHostKey,
  keyType,
  knownHostsName,
  namesMatch,
  parseKnownHosts,
  readKnownHosts,
  renderKnownHost,
  wantedTypes,
} from '../../../src/core/adapters/ssh/known-hosts.ts';
import { fingerprintOf } from '../../../src/core/domain/pki/ssh-wire.ts';
import { makeKey } from '../../support/ssh-server.ts';

const directories: string[] = [];
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true });
});

function newDirectory(): string {
  const directory = mkdtempSync('/tmp/docker-tls-test-kh-');
  directories.push(directory);
  return directory;
}

function publicKey(type: 'ed25519' | 'rsa' | 'ecdsa' = 'ed25519'): { line: string; blob: Buffer } {
  const [kind, base64] = makeKey(type).publicKey.split(' ');
  return { line: `${kind} ${base64}`, blob: Buffer.from(base64 ?? '', 'base64') };
}

const A = publicKey();
const B = publicKey();
const R = publicKey('rsa');

describe('names', () => {
  it.each<[string, string, boolean]>([
    ['host', 'host', true],
    ['HOST', 'host', true],
    ['host', 'host2', false],
    ['a,host,b', 'host', true],
    ['*.example.com', 'a.b.example.com', true],
    ['*.example.com', 'example.com', false],
    ['*.example.com,!bad.example.com', 'good.example.com', true],
    ['*.example.com,!bad.example.com', 'bad.example.com', false],
    ['!bad.example.com,*.example.com', 'bad.example.com', false],
    ['!bad', 'good', false],
    ['10.0.0.?', '10.0.0.7', true],
    ['10.0.0.?', '10.0.0.17', false],
    ['[host]:2222', 'host', false],
    ['[host]:2222', '[host]:2222', true],
    ['[*]:2222', '[any]:2222', true],
    ['*', '[any]:2222', true],
    ['', 'host', false],
    ['|1|broken', 'host', false],
    [renderKnownHost('host', A.blob, true).split(' ')[0] ?? '', 'host', true],
    [(renderKnownHost('host', A.blob, true).split(' ')[0] ?? '').replace('|1|', '|2|'), 'host', false],
    ['|2|c2FsdA==|aGFzaA==', 'host', false],
    ['**a**', 'bab', true],
    [`${'*a'.repeat(30)}b`, 'a'.repeat(200), false],
  ])('%s is about %s: %s', (names, name, wanted) => {
    expect(namesMatch(names, name)).toBe(wanted);
  });

  it('writes the name as OpenSSH does', () => {
    expect([knownHostsName('Host.Example', 22), knownHostsName('host', 2222), knownHostsName('fe80::1', 22)]).toEqual([
      'host.example',
      '[host]:2222',
      'fe80::1',
    ]);
  });

  it('agrees with ssh-keygen on hashes and fingerprints', () => {
    const directory = newDirectory();
    const file = join(directory, 'known_hosts');
    writeFileSync(file, `host,10.0.0.1 ${A.line}\n[host]:2222 ${B.line}\n`);
    execFileSync('ssh-keygen', ['-q', '-H', '-f', file], { stdio: 'ignore' });
    const lines = parseKnownHosts(readFileSync(file, 'utf8'), file);
    expect(lines.every((line) => line.names.startsWith('|1|'))).toBe(true);
    expect(judgeHostKey(lines, 'host', A.blob).kind).toBe('known');
    expect(judgeHostKey(lines, '10.0.0.1', A.blob).kind).toBe('known');
    expect(judgeHostKey(lines, '[host]:2222', B.blob).kind).toBe('known');
    expect(judgeHostKey(lines, 'host', B.blob).kind).toBe('changed');
    writeFileSync(file, `${renderKnownHost('[other]:22022', R.blob, true)}\n`);
    const found = execFileSync('ssh-keygen', ['-F', '[other]:22022', '-l', '-f', file]).toString();
    expect(found).toContain(fingerprintOf(R.blob));
  });
});

describe('lines', () => {
  it('passes over what is damaged, and keeps the line numbers', () => {
    const text = [
      '# comment',
      '',
      `host ${A.line} a comment`,
      'host ssh-ed25519',
      'host ssh-ed25519 AAAA',
      `host ssh-rsa ${A.line.split(' ')[1]}`,
      `@unknown host ${A.line}`,
      `\t@revoked  *\t${B.line}`,
      `@cert-authority *.example.com ${R.line}\r`,
    ].join('\n');
    expect(parseKnownHosts(text, 'f').map(({ marker, names, type, line }) => [marker, names, type, line])).toEqual([
      [undefined, 'host', 'ssh-ed25519', 3],
      ['revoked', '*', 'ssh-ed25519', 8],
      ['cert-authority', '*.example.com', 'ssh-rsa', 9],
    ]);
  });

  it('knows the type of a blob and nothing of random bytes', () => {
    expect([keyType(A.blob), keyType(Buffer.alloc(2)), keyType(Buffer.alloc(40, 255))]).toEqual([
      'ssh-ed25519',
      '',
      '',
    ]);
  });
});

describe('the verdict', () => {
  const cases: [string, string, Buffer, string | undefined, string][] = [
    ['nothing known', '', A.blob, undefined, 'unknown'],
    ['this key', `host ${A.line}`, A.blob, undefined, 'known'],
    ['one of two keys', `host ${B.line}\nhost ${A.line}`, A.blob, undefined, 'known'],
    ['another key', `host ${B.line}`, A.blob, undefined, 'changed'],
    ['another type only', `host ${R.line}`, A.blob, undefined, 'changed'],
    ['a key of another host', `other ${A.line}`, A.blob, undefined, 'unknown'],
    ['revoked for all', `@revoked * ${A.line}\nhost ${A.line}`, A.blob, undefined, 'revoked'],
    ['another key revoked', `@revoked * ${B.line}\nhost ${A.line}`, A.blob, undefined, 'known'],
    ['an authority alone', `@cert-authority host ${A.line}`, A.blob, undefined, 'unknown'],
    ['the bare name vouches', `host ${A.line}`, A.blob, 'host', 'known'],
    ['the bare name does not condemn', `host ${B.line}`, A.blob, 'host', 'unknown'],
    ['an authority of the bare name', `@cert-authority host ${A.line}`, A.blob, 'host', 'unknown'],
    ['the bare name revokes', `@revoked host ${A.line}`, A.blob, 'host', 'revoked'],
  ];
  it.each(cases)('%s', (_name, text, blob, bare, wanted) => {
    const name = bare === undefined ? 'host' : '[host]:2222';
    expect(judgeHostKey(parseKnownHosts(text, 'f'), name, blob, bare).kind).toBe(wanted);
  });

  it('names the known types in the order of the lines', () => {
    const lines = parseKnownHosts(`host ${R.line}\nhost ${A.line}\nhost ${B.line}\n@revoked host ${B.line}`, 'f');
    expect(wantedTypes({}, lines, ['host'])).toEqual(['ssh-rsa', 'ssh-ed25519']);
  });
});

describe('adding', () => {
  it('keeps the other bytes and a link, ends an open line, and loses nothing of parallel writers', async () => {
    const directory = newDirectory();
    const real = join(directory, 'real');
    const file = join(directory, 'known_hosts');
    const before = `# mine, latin1 \u00e9\r\nhost ${A.line}`;
    writeFileSync(real, Buffer.from(before, 'latin1'), { mode: 0o644 });
    symlinkSync(real, file);
    const names = Array.from({ length: 40 }, (_, index) => `h${index}`);
    await Promise.all(names.map((name) => addKnownHost(file, name, B.blob, name.endsWith('7'))));
    await addKnownHost(file, 'h7', B.blob, true);
    const bytes = readFileSync(real);
    expect(bytes.subarray(0, before.length).equals(Buffer.from(before, 'latin1'))).toBe(true);
    expect(lstatSync(file).isSymbolicLink()).toBe(true);
    const lines = await readKnownHosts([file]);
    expect(lines).toHaveLength(41);
    for (const name of names) expect(judgeHostKey(lines, name, B.blob).kind).toBe('known');
  });

  it('makes file and directory for this user alone', async () => {
    const directory = join(newDirectory(), 'a');
    await addKnownHost(join(directory, 'known_hosts'), 'h', A.blob, false);
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, 'known_hosts')).mode & 0o777).toBe(0o600);
    expect(existsSync(join(directory, 'known_hosts.lock'))).toBe(false);
  });
});
