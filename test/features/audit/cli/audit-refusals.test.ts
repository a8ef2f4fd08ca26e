/** Unreadable and unwritable files of an audit, each with its code, and the audit's connection. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { FLEET_FILES } from '../../../../src/core/seams/fleet-files.ts';
import { DockerTlsError } from '../../../../src/errors/errors.ts';
import { runCli } from '../../../support/cli.ts';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'docker-tls-audit-'));
  writeFileSync(join(directory, 'c.yml'), 'services:\n  web:\n    image: a:1\n');
  writeFileSync(join(directory, 'open.yml'), 'services: [');
  writeFileSync(join(directory, 'baseline.yaml'), 'accept: [{ check: "2.10", reason: x, expires: never }]\n');
  writeFileSync(join(directory, 'other.json'), '{}');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

test.each([
  ['E_AUDIT_FILE', ['--compose', 'missing.yml']],
  ['E_AUDIT_OUT', ['--compose', 'c.yml', '--out', 'missing/report.html']],
  ['E_AUDIT_REPORT', ['--compose', 'c.yml', '--compare', 'other.json']],
  ['E_BASELINE', ['--compose', 'c.yml', '--baseline', 'baseline.yaml']],
  ['E_COMPOSE', ['--compose', 'open.yml']],
])('%s: %j', async (code, argv) => {
  const { exit, json } = await runCli(['audit', '--home', join(directory, 'store'), '--json', ...argv], {
    cwd: directory,
  });
  expect([exit, json.error?.code]).toEqual([2, code]);
});

test.runIf(FLEET_FILES.all.length > 0)(
  'a host whose TLS port only ssh reaches is audited over a session with a tunnel, also among many',
  async () => {
    writeFileSync(join(directory, 'fleet.yaml'), 'version: 1\nhosts:\n  away: { reach: ssh }\n  near: {}\n');
    const asked = new Map<string, boolean | undefined>();
    await runCli(['audit', '--home', join(directory, 'store'), '-f', 'fleet.yaml', '--json'], {
      cwd: directory,
      connect: async ({ host, tunnels }) => {
        asked.set(host, tunnels);
        throw new DockerTlsError('E_SSH_TIMEOUT', 'no answer');
      },
    });
    expect(Object.fromEntries(asked)).toEqual({ away: true, near: false });
  },
);
