/** Environment of a sign command. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FLEET_FILES } from '../../../../src/core/seams/fleet-files.ts';
import { CertificateFactory } from '../../../support/certificate-factory.ts';
import { buildProgram, type Program } from '../../../support/cli.ts';
import { writeSignScript } from '../../../support/sign-script.ts';

const directory = mkdtempSync(join(tmpdir(), 'docker-tls-cli-'));
let program: Program;

beforeAll(() => {
  program = buildProgram();
});
afterAll(() => {
  program.remove();
  rmSync(directory, { recursive: true });
});

test('no child process gets the passphrase, whichever variable brings it', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-children-'));
  const factory = new CertificateFactory();
  try {
    const at = (name: string) => join(directory, name);
    const sign = writeSignScript(at('sign'), factory.issue('company', { ca: true }));
    writeFileSync(at('spy'), `#!/bin/sh\nenv >>'${at('seen')}'\nexec '${sign}' "$@"\n`, { mode: 0o755 });
    writeFileSync(at('fleet.yaml'), 'version: 1\nca: { passphrase: env:VAULT_WORD }\nhosts: { web: 127.0.0.1:1 }\n');
    const secret = 'correct horse battery';
    const env = {
      PATH: process.env.PATH,
      HOME: directory,
      DOCKER_TLS_CA_PASSPHRASE: secret,
      ...(FLEET_FILES.all.length > 0 ? { VAULT_WORD: secret } : {}),
      PLAIN: 'x',
    };
    const run = (...argv: string[]) => program.run(argv, { cwd: directory, env });
    const ca = factory.issue('company', { ca: true });
    writeSignScript(at('sign'), ca);
    expect((await run('ca', 'import', '--cert', ca.certFile, '--sign-command', './spy {profile} {days}')).status).toBe(
      0,
    );
    expect((await run('client', 'add', 'ci', ...FLEET_FILES.all.flatMap(() => ['-f', 'fleet.yaml']))).status).toBe(0);
    const seen = readFileSync(at('seen'), 'utf8');
    expect(seen).toContain('PLAIN=x');
    expect(seen).not.toMatch(/correct horse|DOCKER_TLS_CA_PASSPHRASE|VAULT_WORD/);
  } finally {
    factory.remove();
    rmSync(directory, { recursive: true });
  }
});
