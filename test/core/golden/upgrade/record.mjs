// Keeps what this version writes, for later versions to open: node test/core/golden/upgrade/record.mjs, once before a release. A lab host is set
// up, changed a second time, and given a second client; then the store, the state of the host, and a fleet file go to a directory named
// after the version. What a released version wrote is never recorded again.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../../', import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-record-'));
const target = fileURLToPath(new URL(`${version}/`, import.meta.url));

function run(program, args, input = '') {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    input,
    maxBuffer: 1 << 26,
    env: { ...process.env, HOME: directory },
  });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error ?? `exit ${status}\n${stderr}`}`);
  return stdout;
}
const lab = (args) => run(join(root, 'scripts/lab'), args);

try {
  run(process.execPath, [join(root, 'scripts/build.mjs'), join(directory, 'dist')]);
  for (const path of ['bin', 'package.json']) cpSync(join(root, path), join(directory, path), { recursive: true });
  const up = lab(['up', 'upgrade', '--suite', 'trixie', '--owner-pid', String(process.pid), '--json']);
  const [{ address, keyFile }] = JSON.parse(up);
  const store = join(directory, 'store');
  const tls = (...words) =>
    run(process.execPath, [join(directory, 'bin/docker-tls.js'), ...words, '--home', store, '--yes']);
  writeFileSync(join(directory, 'pass'), 'fixture of an upgrade\n', { mode: 0o600 });
  const pass = ['--ca-passphrase-file', join(directory, 'pass')];
  const ssh = ['-i', keyFile, '--host-key', 'accept-new'];
  const words = ['--name', 'build-1', '--san', 'build-1.example.org', '--client', 'ops', '--no-context'];
  tls('setup', `root@${address}`, ...words, ...ssh, ...pass);
  tls('client', 'add', 'ci', '--hosts', 'build-1', '--days', '90', ...pass);
  tls('rotate', 'server', 'build-1', ...pass);
  const fleet = `version: 1\nhosts:\n  build-1:\n    address: ${address}\n    sans: [build-1.example.org]\nclients:\n  ops:\n  ci: { days: 90 }\n`;
  const state = lab(['exec', 'upgrade', 'cat', '/var/lib/docker-tls/state.json']);
  mkdirSync(target, { recursive: true });
  const files = readdirSync(store, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/\/lock$/.test(path))
    .map((path) => [relative(store, path), { mode: statSync(path).mode & 0o777, text: readFileSync(path, 'utf8') }]);
  writeFileSync(join(target, 'store.json'), `${JSON.stringify(Object.fromEntries(files.sort()), null, 1)}\n`);
  writeFileSync(join(target, 'state.json'), state);
  writeFileSync(join(target, 'fleet.yaml'), fleet);
  writeFileSync(join(target, 'about.json'), `${JSON.stringify({ at: new Date().toISOString(), address })}\n`);
} finally {
  spawnSync(join(root, 'scripts/lab'), ['down', 'upgrade']);
  rmSync(directory, { recursive: true, force: true });
}
