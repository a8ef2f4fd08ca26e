/**
 * A release that can be trusted: two clones of the last commit, in different directories and surroundings, give the same bytes; the
 * verification that docs/install.md describes accepts them and refuses what was changed; the SBOMs name what is bundled.
 */

import { execFile } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readJsonSync, removeSync } from 'fs-extra/esm';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = new URL('../..', import.meta.url).pathname;
const run = promisify(execFile);
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-release-'));
const out = join(directory, 'one/out');
const { version } = readJsonSync(join(ROOT, 'package.json')) as { version: string };

/** A clone, built with the modules of this checkout: a mount, because a link would show in the paths that the bundler writes. */
async function release(clone: string, around: string, env: Record<string, string>): Promise<void> {
  await run('sh', ['-ec', `${around}; git clone --quiet '${ROOT}' '${clone}'`]);
  mkdirSync(join(clone, 'node_modules'));
  const mount = `mount --bind '${join(ROOT, 'node_modules')}' '${join(clone, 'node_modules')}'`;
  const build = `'${join(clone, 'scripts/package')}' --out '${join(clone, 'out')}' --level 1 npm deb sbom`;
  await run('unshare', ['--mount', 'sh', '-ec', `${mount}; ${around}; ${build}`], { env: { ...process.env, ...env } });
}

beforeAll(async () => {
  await Promise.all([
    release(join(directory, 'one'), 'umask 077', { TZ: 'Asia/Tokyo', LANG: 'de_DE.UTF-8' }),
    release(join(directory, 'two/deeper in'), 'umask 002', { TZ: 'UTC', SOME_VARIABLE: '1' }),
  ]);
});
afterAll(() => removeSync(directory));

test('two builds in different directories are the same, byte for byte', () => {
  const sums = readFileSync(join(out, 'SHA256SUMS'), 'utf8');
  expect(sums.match(/^[0-9a-f]{64} {2}docker-tls.*$/gm)).toHaveLength(6);
  expect(readFileSync(join(directory, 'two/deeper in/out/SHA256SUMS'), 'utf8')).toBe(sums);
});

test('the verification of docs/install.md accepts a signed release, and refuses another key, another list and another file', async () => {
  const commands = /## Verify a download\n[^`]*(?:`[^`\n]+`[^`]*)*```sh\n(.+?)```/s.exec(
    readFileSync(join(ROOT, 'docs/install.md'), 'utf8'),
  )?.[1];
  expect(commands).toContain('ssh-keygen -Y verify');
  const verify = async () => (await run('sh', ['-ec', commands ?? ''], { cwd: out })).stdout;
  const sign = async (key: string) => {
    rmSync(join(out, 'SHA256SUMS.sig'), { force: true });
    await run('ssh-keygen', ['-q', '-Y', 'sign', '-f', key, '-n', 'file', join(out, 'SHA256SUMS')]);
  };
  const [ours, others] = ['ours', 'others'].map((name) => join(directory, name)) as [string, string];
  for (const key of [ours, others]) await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  writeFileSync(join(out, 'allowed_signers'), `docker-tls namespaces="file" ${readFileSync(`${ours}.pub`, 'utf8')}`);
  await sign(ours);
  expect(await verify()).toMatch(/^Good "file" signature for docker-tls .*\n(?:docker-tls.*: OK\n){6}$/);
  await sign(others);
  await expect(verify()).rejects.toThrow();
  await sign(ours);
  const list = readFileSync(join(out, 'SHA256SUMS'), 'utf8');
  writeFileSync(
    join(out, 'SHA256SUMS'),
    list.replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
  );
  await expect(verify()).rejects.toThrow();
  writeFileSync(join(out, 'SHA256SUMS'), list);
  await verify();
  appendFileSync(join(out, `docker-tls_${version}_${process.arch === 'arm64' ? 'arm64' : 'amd64'}.deb`), '\n');
  await expect(verify()).rejects.toThrow(/did NOT match/);
});

test('both SBOMs name every package in dist, with a licence, and no other; the licences file has their texts', async () => {
  const dist = join(directory, 'dist');
  await run('tar', ['-xzf', join(out, `docker-tls-${version}.tgz`), '-C', directory]);
  await run('mv', [join(directory, 'package/dist'), dist]);
  const { man } = readJsonSync(join(directory, 'package/package.json')) as { man: string[] };
  expect(man).toContain('./dist/man/docker-tls-setup.1');
  // The bundler says in a comment where each part of a file is from.
  const parts = readdirSync(dist)
    .filter((name) => name.endsWith('.js'))
    .flatMap((name) => [...readFileSync(join(dist, name), 'utf8').matchAll(/^\/\/ node_modules\/(\S+)$/gm)])
    .map(([, path = '']) => /^(?:.*node_modules\/)?((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]);
  const bundled = [...new Set(parts)].sort();
  expect(bundled.length).toBeGreaterThan(40);
  const read = (kind: string) => readJsonSync(join(out, `docker-tls-${version}.${kind}.json`));
  const spdx: { name: string; licenseDeclared?: string }[] = read('spdx').packages;
  const cdx: { name: string; licenses: unknown[] }[] = read('cdx').components;
  const names = (list: readonly { name: string }[]) => [...new Set(list.map(({ name }) => name))].sort();
  expect(names(spdx).filter((name) => name !== '@docker-tls/cli')).toEqual(expect.arrayContaining(bundled as string[]));
  expect(names(cdx)).toEqual(names(spdx).filter((name) => name !== '@docker-tls/cli'));
  expect(spdx.filter(({ licenseDeclared }) => !licenseDeclared || licenseDeclared === 'NOASSERTION')).toEqual([]);
  expect(cdx.filter(({ licenses }) => !licenses?.length)).toEqual([]);
  for (const tool of ['esbuild', 'vitest', 'typescript']) expect(names(cdx)).not.toContain(tool);
  const licences = readFileSync(join(dist, 'THIRD-PARTY-LICENSES.txt'), 'utf8').split(`\n${'-'.repeat(80)}\n`);
  expect(licences.filter((text) => !/licen[cs]e|permission|copyright/i.test(text.replace(/^.*$/m, '')))).toEqual([]);
  for (const name of names(cdx)) expect(licences.some((text) => text.includes(`${name} `))).toBe(true);
});

test('the SBOMs of the executable name Node.js and what is in it', () => {
  const read = (kind: string) => readJsonSync(join(out, `docker-tls-${version}-single.${kind}.json`));
  const pinned = readJsonSync(join(ROOT, 'packaging/node.json')).version;
  const spdx: { name: string; versionInfo: string }[] = read('spdx').packages;
  const cdx: { name: string; version: string; cpe?: string }[] = read('cdx').components;
  for (const name of ['openssl', 'v8', 'uv', 'zlib', 'icu', 'undici', 'ssh2']) {
    expect(spdx.map((one) => one.name)).toContain(name);
    expect(cdx.map((one) => one.name)).toContain(name);
  }
  expect(spdx.find(({ name }) => name === 'node')?.versionInfo).toBe(pinned);
  expect(cdx.find(({ name }) => name === 'node')?.cpe).toContain(`nodejs:node.js:${pinned}:`);
});
