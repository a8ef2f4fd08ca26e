import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { installIntoConfigFolder } from '../../src/docker/config-folder.ts';
import { Secret } from '../../src/secret.ts';

const papers = { ca: 'the CA\n', cert: 'a certificate\n', key: new Secret('a key\n') };
const renewed = { ca: 'the CA\n', cert: 'a new certificate\n', key: new Secret('a new key\n') };
const folders: string[] = [];
let dockerConfig = '';

beforeEach(() => {
  dockerConfig = join(mkdtempSync(join(tmpdir(), 'docker-tls-folder-')), '.docker');
  folders.push(dockerConfig);
});
afterAll(() => {
  for (const folder of folders) rmSync(join(folder, '..'), { recursive: true, force: true });
});

function listing(): string[] {
  return readdirSync(dockerConfig).map((name) => {
    const path = join(dockerConfig, name);
    return `${name} ${(statSync(path).mode & 0o777).toString(8)} ${readFileSync(path, 'utf8').trim()}`;
  });
}

describe('installIntoConfigFolder', () => {
  it('makes the folder and the three files, each with its final mode whatever the umask, and then has nothing to do', async () => {
    const umask = process.umask(0o077);
    try {
      expect(await installIntoConfigFolder({ dockerConfig, ...papers })).toEqual({ changed: true, kept: [] });
    } finally {
      process.umask(umask);
    }
    expect(listing()).toEqual(['ca.pem 444 the CA', 'cert.pem 444 a certificate', 'key.pem 400 a key']);
    expect((statSync(dockerConfig).mode & 0o777).toString(8)).toBe('700');
    expect(await installIntoConfigFolder({ dockerConfig, ...papers })).toEqual({ changed: false, kept: [] });
  });

  it('replaces files that are known as ours', async () => {
    await installIntoConfigFolder({ dockerConfig, ...papers });
    await installIntoConfigFolder({ dockerConfig, ...renewed, known: ['something else', papers.cert] });
    expect(listing()).toEqual(['ca.pem 444 the CA', 'cert.pem 444 a new certificate', 'key.pem 400 a new key']);
  });

  it('leaves somebody else’s files alone, even a single one, unless told to; then it keeps them', async () => {
    await installIntoConfigFolder({ dockerConfig, ...papers });
    await expect(installIntoConfigFolder({ dockerConfig, ...renewed })).rejects.toMatchObject({
      code: 'E_CLIENT_FILES_EXIST',
      exit: 2,
    });
    expect(listing()).toEqual(['ca.pem 444 the CA', 'cert.pem 444 a certificate', 'key.pem 400 a key']);
    writeFileSync(join(dockerConfig, 'key.pem.before-docker-tls'), 'older');
    const { kept } = await installIntoConfigFolder({ dockerConfig, ...renewed, replace: true });
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
    await installIntoConfigFolder({ dockerConfig, ...papers });
    rmSync(join(dockerConfig, 'key.pem'), { force: true });
    await installIntoConfigFolder({ dockerConfig, ...papers });
    expect(listing()).toEqual(['ca.pem 444 the CA', 'cert.pem 444 a certificate', 'key.pem 400 a key']);
  });
});
