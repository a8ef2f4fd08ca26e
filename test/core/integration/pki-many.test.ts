/** Thousands of keys in one process, with much garbage collection: node's own key generator once hung under that. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const COUNT = 15_000;

const PROGRAM = `
import { issueCa, issueClient, issueClientAuthority } from './src/core/domain/pki/certificate.ts';
const now = new Date();
const ca = await issueCa({ name: 'many', days: 10, now });
for (let done = 0; done < ${COUNT}; done += 1) await issueClientAuthority({ ca, clientName: 'a', days: 1, now });
for (let done = 0; done < 500; done += 1) {
  const authority = await issueClientAuthority({ ca, clientName: 'a', days: 1, now, keyType: 'ed25519' });
  await issueClient({ authority, name: 'a', days: 1, now, keyType: 'p384' });
}
console.log('done');
`;

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'docker-tls-pki-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

// In a separate process: a deadlock in it would stop the test's own clock too.
test('many authorities are made to the end', async () => {
  const outfile = join(directory, 'many.mjs');
  await build({
    stdin: { contents: PROGRAM, resolveDir: ROOT, loader: 'ts' },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'error',
  });
  const { stdout } = await promisify(execFile)(process.execPath, ['--max-semi-space-size=1', outfile], {
    timeout: 240_000,
    killSignal: 'SIGKILL',
  });
  expect(stdout).toBe('done\n');
});
