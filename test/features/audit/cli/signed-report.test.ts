/** Reports as evidence: what they name, their signature, and its check by docker-tls and by plain ssh-keygen. */

import { execFileSync, execSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Probe } from '../../../../src/core/runtime.ts';
import { type DocumentPlace, documentPlace } from '../../../support/golden-documents.ts';
import { printSections, sectionsOf } from '../../../support/sections.ts';
import { removeHomes } from '../../../support/store.ts';
import { recordedBytes } from '../support/audit-facts.ts';

const MACHINE_ID = '0123456789abcdef0123456789abcdef';
const HOST_KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ';
const probe: Probe = async () => ({
  ...{ kind: 'refused', cause: 'connection-refused', reason: 'no answer', chain: '', elapsedMs: 1 },
});
let place: DocumentPlace;
let signers: string;
const at = (name: string) => join(place.directory, name);

function hosts(extra: string) {
  const sections = [
    { name: 'machine-id', content: Buffer.from(`${MACHINE_ID}\n`) },
    { name: 'host-keys', content: Buffer.from(`${HOST_KEY}\n`) },
    { name: 'extra', content: Buffer.from(extra) },
    ...sectionsOf('audit', recordedBytes('setup-trixie')),
  ];
  return { outputs: { audit: printSections('audit', sections) } };
}
const audit = (argv: readonly string[], extra = '') => place.run(['audit', 'h1', ...argv], { probe }, hosts(extra));
const check = (argv: readonly string[]) => place.run(['audit', '--check-signature', ...argv]);

beforeAll(async () => {
  place = await documentPlace();
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at('key')]);
  signers = `ada@example.org ${readFileSync(at('key.pub'), 'utf8')}`;
  writeFileSync(at('signers'), signers);
});
afterAll(removeHomes);

test('a report names operator, program, host and times, and its signature holds', async () => {
  const made = await audit(['--out', 'report.json', '--sign', 'key']);
  const fingerprint = execFileSync('ssh-keygen', ['-l', '-f', at('key')], { encoding: 'utf8' }).split(' ')[1];
  expect(made.json.result).toMatchObject({ out: at('report.json'), signature: at('report.json.sig') });
  const report = JSON.parse(readFileSync(at('report.json'), 'utf8'));
  expect(report.evidence).toEqual({
    schema: 1,
    program: expect.stringMatching(/^[0-9a-f]{64}$/),
    operator: 'ada@laptop',
    signer: fingerprint,
  });
  const host = report.subjects[0].evidence;
  expect(host).toMatchObject({
    machineId: createHmac('sha256', MACHINE_ID).update('docker-tls audit').digest('hex'),
    hostKeys: [expect.stringMatching(/^SHA256:[\w+/]{43}$/)],
    hostTime: expect.stringMatching(/^2\d{3}-.*Z$/),
    auditorTime: expect.stringMatching(/^2\d{3}-.*Z$/),
    facts: expect.stringMatching(/^[0-9a-f]{64}$/),
  });
  expect(host.certificates.length).toBeGreaterThan(0);
  expect(host.certificates.every((one: string) => /^[0-9a-f]{64}$/.test(one))).toBe(true);
  // The machine ID itself stays on the host.
  expect(readFileSync(at('report.json'), 'utf8')).not.toContain(MACHINE_ID);

  const checked = await check(['report.json', '--signers', 'signers']);
  expect(checked.json.result).toEqual({
    ...{ file: at('report.json'), signer: 'ada@example.org', key: fingerprint, signers: at('signers') },
  });
});

test('the hash of the facts changes with any of them, and with nothing else', async () => {
  const facts = async (extra: string) => (await audit([], extra)).json.result.subjects[0].evidence.facts;
  expect(await facts('a')).toBe(await facts('a'));
  expect(await facts('b')).not.toBe(await facts('a'));
});

test('the command of the docs for plain ssh-keygen takes it', async () => {
  const docs = readFileSync(new URL('../../../../docs/audit.md', import.meta.url), 'utf8');
  const command = /^ {4}(ssh-keygen -Y verify .*)$/m.exec(docs)?.[1] ?? '';
  await audit(['--out', 'report.json', '--sign', 'key']);
  const run = () => execSync(command, { cwd: place.directory, encoding: 'utf8', stdio: ['pipe', 'pipe', 'pipe'] });
  expect(run()).toContain('Good "docker-tls-audit" signature for ada@example.org');
  writeFileSync(at('report.json'), `${readFileSync(at('report.json'), 'utf8')} `);
  expect(run).toThrow();
});

test('a changed report, another key, and no list of signers are no evidence', async () => {
  await audit(['--out', 'a.json', '--sign', 'key']);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at('other')]);
  writeFileSync(at('others'), `eve ${readFileSync(at('other.pub'), 'utf8')}`);
  const stranger = await check(['a.json', '--signers', 'others']);
  expect([stranger.exit, stranger.json.error?.code]).toEqual([3, 'E_AUDIT_SIGNATURE']);
  expect(stranger.json.error?.message).toSay('does-not-allow');
  const unknown = await check(['a.json']);
  expect([unknown.exit, unknown.json.error?.code]).toEqual([2, 'E_AUDIT_FILE']);
  expect(unknown.json.error?.where).toBe(at('.ssh/allowed_signers'));
  writeFileSync(at('a.json'), readFileSync(at('a.json'), 'utf8').replace('"high"', '"low"'));
  const changed = await check(['a.json', '--signers', 'signers']);
  expect([changed.exit, changed.json.error?.code]).toEqual([3, 'E_AUDIT_SIGNATURE']);
  expect(changed.json.error?.message).toSay('file-not-signed');
});

test('the page names the evidence, and is signed as well', async () => {
  await audit(['--out', 'report.html', '--sign', 'key']);
  expect((await check(['report.html', '--signers', 'signers'])).exit).toBe(0);
  const page = readFileSync(at('report.html'), 'utf8');
  for (const words of ['ada@laptop', 'SHA-256 ', 'Machine ID, hashed', 'Facts, SHA-256', '--check-signature'])
    expect(page).toContain(words);
  expect(page).toMatch(/@media print[\s\S]*#evidence \{ break-before: page; \}/);
});

test('a check of a signature audits nothing, and refuses what would', async () => {
  await audit(['--out', 'b.json', '--sign', 'key']);
  const more = [['h1'], ['--fail-on', 'high'], ['--compose', 'a.yml'], ['--lynis'], ['--out', 'c.json']];
  for (const words of more) {
    const refused = await check(['b.json', '--signers', 'signers', ...words]);
    expect([words, refused.exit, refused.json.error?.code]).toEqual([words, 2, 'E_USAGE']);
  }
});

test("a host's name behind --sign is no key, unless a file has it", async () => {
  const sign = () => place.run(['audit', '--out', 'h.json', '--sign', 'h1'], { probe }, hosts(''));
  const refused = await sign();
  expect([refused.exit, refused.json.error?.code]).toEqual([2, 'E_USAGE']);
  expect(refused.json.error?.hints).toEqual(['docker-tls audit h1 --out h.json --json --sign']);
  writeFileSync(at('h1'), readFileSync(at('key')), { mode: 0o600 });
  expect((await sign()).json.result?.signature).toBe(at('h.json.sig'));
});

test('--accept-removed is refused where no signature is checked', async () => {
  const refused = await audit(['--accept-removed']);
  expect([refused.exit, refused.json.error?.code]).toEqual([2, 'E_USAGE']);
});

test('a new report does not stand beside an old signature', async () => {
  await audit(['--out', 'd.json', '--sign', 'key']);
  const before = readFileSync(at('d.json'), 'utf8');
  rmSync(at('d.json.sig'));
  mkdirSync(at('d.json.sig'));
  const failed = await audit(['--out', 'd.json', '--sign', 'key'], 'other facts');
  expect([failed.exit, failed.json.error?.code]).toEqual([2, 'E_AUDIT_OUT']);
  expect(readFileSync(at('d.json'), 'utf8')).toBe(before);
});

test.skipIf(process.platform === 'win32')('a key that others can read does not sign', async () => {
  writeFileSync(at('shared'), readFileSync(at('key')));
  chmodSync(at('shared'), 0o640);
  const refused = await audit(['--sign', 'shared', '--out', 'never.json']);
  expect([refused.exit, refused.json.error?.code]).toEqual([2, 'E_AUDIT_SIGNER']);
  expect(refused.json.error?.hints).toEqual([`chmod 600 ${at('shared')}`]);
  expect(() => readFileSync(at('never.json'))).toThrow();
  chmodSync(at('shared'), 0o600);
  expect((await audit(['--sign', 'shared', '--out', 'e.json'])).json.result?.signature).toBe(at('e.json.sig'));
});

test('only a file is signed, and the key is tried before the audit', async () => {
  for (const out of [[], ['--out', '-']]) {
    const refused = await audit(['--sign', 'key', ...out]);
    expect([refused.exit, refused.json.error?.code]).toEqual([2, 'E_USAGE']);
  }
  writeFileSync(at('age'), 'AGE-SECRET-KEY-1QQ\n');
  const refused = await audit(['--sign', 'age', '--out', 'never.json']);
  expect([refused.exit, refused.json.error?.code]).toEqual([2, 'E_AUDIT_SIGNER']);
  expect(() => readFileSync(at('never.json'))).toThrow();
});
