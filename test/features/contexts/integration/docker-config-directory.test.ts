import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { Secret } from '../../../../src/core/domain/secret.ts';
import { installIntoConfigDirectory } from '../../../../src/features/contexts/adapters/config-directory.ts';

const credentials = { ca: 'the CA\n', cert: 'a certificate\n', key: new Secret('a key\n') };
const renewed = { ca: 'the CA\n', cert: 'a new certificate\n', key: new Secret('a new key\n') };
const directories: string[] = [];
let dockerConfig = '';

beforeEach(() => {
  dockerConfig = join(mkdtempSync(join(tmpdir(), 'docker-tls-directory-')), '.docker');
  directories.push(dockerConfig);
});
afterAll(() => {
  for (const directory of directories) rmSync(join(directory, '..'), { recursive: true, force: true });
});

function listing(): string[] {
  return readdirSync(dockerConfig).map((name) => {
    const path = join(dockerConfig, name);
    return `${name} ${(statSync(path).mode & 0o777).toString(8)} ${readFileSync(path, 'utf8').trim()}`;
  });
}

describe('installIntoConfigDirectory', () => {
  it('makes the directory and the three files, each with its final mode whatever the umask, and then has nothing to do', async () => {
    const umask = process.umask(0o077);
    try {
      expect(await installIntoConfigDirectory({ dockerConfig, ...credentials })).toEqual({ changed: true, kept: [] });
    } finally {
      process.umask(umask);
    }
    expect(listing()).toEqual(['ca.pem 444 the CA', 'cert.pem 444 a certificate', 'key.pem 400 a key']);
    expect((statSync(dockerConfig).mode & 0o777).toString(8)).toBe('700');
    expect(await installIntoConfigDirectory({ dockerConfig, ...credentials })).toEqual({ changed: false, kept: [] });
  });

  it('replaces files that are known as ours', async () => {
    await installIntoConfigDirectory({ dockerConfig, ...credentials });
    await installIntoConfigDirectory({ dockerConfig, ...renewed, known: ['something else', credentials.cert] });
    expect(listing()).toEqual(['ca.pem 444 the CA', 'cert.pem 444 a new certificate', 'key.pem 400 a new key']);
  });

  it('leaves other files alone, even a single one, unless told to; then it keeps them', async () => {
    await installIntoConfigDirectory({ dockerConfig, ...credentials });
    await expect(installIntoConfigDirectory({ dockerConfig, ...renewed })).rejects.toMatchObject({
      code: 'E_CLIENT_FILES_EXIST',
      exit: 2,
    });
    expect(listing()).toEqual(['ca.pem 444 the CA', 'cert.pem 444 a certificate', 'key.pem 400 a key']);
    writeFileSync(join(dockerConfig, 'key.pem.before-docker-tls'), 'older');
    const { kept } = await installIntoConfigDirectory({ dockerConfig, ...renewed, replace: true });
    expect(kept).toEqual([
      join(dockerConfig, 'cert.pem.before-docker-tls'),
      join(dockerConfig, 'key.pem.before-docker-tls-2'),
    ]);
    expect(listing()).toEqual([
      'ca.pem 444 the CA',
      'cert.pem 444 a new certificate',
      'cert.pem.before-docker-tls 444 a certificate',
      'key.pem 400 a new key',
      'key.pem.before-docker-tls 644 older',
      'key.pem.before-docker-tls-2 400 a key',
    ]);
  });

  it('is not stopped by one file that is as it should be', async () => {
    await installIntoConfigDirectory({ dockerConfig, ...credentials });
    rmSync(join(dockerConfig, 'key.pem'), { force: true });
    await installIntoConfigDirectory({ dockerConfig, ...credentials });
    expect(listing()).toEqual(['ca.pem 444 the CA', 'cert.pem 444 a certificate', 'key.pem 400 a key']);
  });
});
