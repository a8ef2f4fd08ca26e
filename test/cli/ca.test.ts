import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { CertificateFactory } from '../support/certificate-factory.ts';
import { runCli } from '../support/cli.ts';
import { newHome, removeHomes } from '../support/store.ts';

let home: string;
let directory: string;
const factory = new CertificateFactory();

beforeEach(() => {
  home = newHome();
  directory = dirname(home);
});
afterAll(() => {
  removeHomes();
  factory.remove();
});

const run = (...argv: string[]) =>
  runCli([...argv, '--home', home], {
    cwd: directory,
    env: { HOME: directory, DOCKER_CONFIG: join(directory, 'docker') },
  });
const file = (name: string) => join(directory, name);

describe('ca create, show, export', () => {
  test('made once, shown, and exported: the certificate is public, the key only leaves encrypted', async () => {
    expect((await run('ca', 'create', '--json')).json.error?.code).toBe('E_CA_PASSPHRASE');
    writeFileSync(file('pass'), 'correct horse\n', { mode: 0o600 });
    const made = await run('ca', 'create', '--ca-name', 'acme', '--ca-passphrase-file', 'pass');
    expect([made.exit, made.err]).toEqual([0, '']);
    const shown = await run('ca', 'show', '--json');
    expect(shown.json.result).toMatchObject({ key: 'encrypted', clientIssuers: 0, old: [], intermediate: false });
    const exported = await run('ca', 'export');
    expect(exported.out).toBe(readFileSync(join(home, 'ca/ca.pem'), 'utf8'));
    writeFileSync(file('other'), 'another one\n', { mode: 0o600 });
    const key = await run(
      'ca',
      'export',
      '--with-key',
      '--out',
      'ca.pem',
      '--ca-passphrase-file',
      'pass',
      '--passphrase-file',
      'other',
    );
    expect([key.exit, key.err]).toEqual([0, '']);
    expect(statSync(file('ca.pem')).mode & 0o777).toBe(0o600);
    const text = readFileSync(file('ca.pem'), 'utf8');
    expect(text.match(/BEGIN [A-Z ]+/g)).toEqual(['BEGIN CERTIFICATE', 'BEGIN ENCRYPTED PRIVATE KEY']);
    const opened = execFileSync('openssl', ['pkey', '-in', file('ca.pem'), '-passin', 'pass:another one', '-pubout'], {
      encoding: 'utf8',
    });
    expect(opened).toContain('BEGIN PUBLIC KEY');
    expect((await run('ca', 'create', '--no-ca-passphrase', '--json')).json.error?.code).toBe('E_CA_EXISTS');
  });

  test('a backup is written only of a key that belongs to its certificate', async () => {
    writeFileSync(file('pass'), 'correct horse\n', { mode: 0o600 });
    await run('ca', 'create', '--ca-passphrase-file', 'pass');
    const out = ['ca', 'export', '--with-key', '--out', 'backup.pem', '--passphrase-file', 'pass'];
    out.push('--ca-passphrase-file', 'pass');
    expect((await run(...out, '--json')).json.error).toBe(undefined);
    expect((await run(...out, '--json')).json.error?.code).toBe('E_FILE_EXISTS');
    rmSync(file('backup.pem'));
    const key = join(home, 'ca/ca-key.pem');
    rmSync(key);
    writeFileSync(key, factory.issue('other', { ca: true }).key, { mode: 0o400 });
    expect((await run(...out, '--json')).json.error?.code).toBe('E_CA_KEY');
    expect(existsSync(file('backup.pem'))).toBe(false);
  });

  test('without a CA there is nothing to show', async () => {
    expect((await run('ca', 'show', '--json')).json.error?.code).toBe('E_NO_CA');
    expect(existsSync(home)).toBe(false);
  });
});
