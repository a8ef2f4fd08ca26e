/** Files of `audit`: requested ones, the report's location, and files that stay untouched. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { readJsonSync, removeSync } from 'fs-extra/esm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FLEET_FILES } from '../../../../src/core/seams/fleet-files.ts';
import { COMPONENTS } from '../../../../src/features/audit/domain/vulnerability-table.ts';
import { runCli } from '../../../support/cli.ts';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'docker-tls-audit-'));
  writeFileSync(join(directory, 'c.yml'), 'services:\n  web:\n    image: a:1\n    privileged: true\n');
  writeFileSync(join(directory, 'my file.yml'), 'services: [');
});
afterAll(() => removeSync(directory));

const audit = (...argv: string[]) => runCli(['audit', '--home', join(directory, 'store'), ...argv], { cwd: directory });

describe('--check', () => {
  test('of hosts does not pass a file that was not judged', async () => {
    const { exit, err } = await audit('--compose', 'c.yml', '--check', '5.5', '--fail-on', 'high');
    expect(exit).toBe(2);
    expect(err).toSay('no-such-check-audited', '--check', '5.5');
    expect(err).toContain('--check compose.5.5');
  });

  test.each(['compose.5.5', 'compose.5.*', '*'])('%s is one for a Compose file', async (check) => {
    expect((await audit('--compose', 'c.yml', '--check', check, '--fail-on', 'high')).exit).toBe(3);
  });

  test('of a Dockerfile is none for a Compose file', async () => {
    expect((await audit('--compose', 'c.yml', '--check', 'dockerfile.*')).exit).toBe(2);
  });
});

test('several files after one --dockerfile: the second is not taken for a host', async () => {
  writeFileSync(join(directory, 'Dockerfile.b'), 'FROM a:1\n');
  const { exit, err } = await audit('--dockerfile', 'c.yml', 'Dockerfile.b');
  expect(exit).toBe(2);
  expect(err).toSay('dockerfile-file-stands-where');
  expect(err).toContain('audit --dockerfile Dockerfile.b');
});

test('a service that another file or .env decides about does not pass', async () => {
  writeFileSync(join(directory, 'all.yml'), `include: [base.yml]\nservices:\n  web:\n    privileged: \${P:-false}\n`);
  const run = (check: string) => audit('--compose', 'all.yml', '--check', check, '--fail-on', 'high', '--json');
  const judged = await run('compose.unread');
  const unset = await run('compose.5.5');
  writeFileSync(join(directory, '.env'), '# x\nexport P=true\n');
  const given = await run('compose.unread');
  const set = await run('compose.5.5');
  writeFileSync(join(directory, 'base.yml'), 'services:\n  base:\n    image: a:1\n');
  const whole = await run('compose.unread');
  for (const name of ['.env', 'base.yml']) rmSync(join(directory, name));
  expect([judged.exit, given.exit, whole.exit]).toEqual([3, 3, 0]);
  expect([unset.exit, set.exit]).toEqual([0, 3]);
  const evidence = ({ json }: typeof given) => JSON.stringify(json).match(/cannot tell: [^"]*/g);
  expect(evidence(judged)).toEqual([expect.toSay('yml-does-not-exist')]);
  expect(evidence(given)).toHaveLength(1);
});

test('what Compose reads beside a file of a default name is judged as well, and several files as one project', async () => {
  const beside = mkdtempSync(join(directory, 'merged-'));
  const write = (name: string, text: string) => writeFileSync(join(beside, name), text);
  const SERVICE = 'services:\n  web:\n    image: a:1\n';
  const OPEN = `${SERVICE}    privileged: true\n`;
  for (const name of ['compose.yml', 'docker-compose.yaml', 'other.yml']) write(name, SERVICE);
  const files = async (name: string) => {
    const { json } = await audit('--compose', join(beside, name), '--check', 'compose.5.5', '--json');
    return (JSON.stringify(json).match(/"file":"[^"]*"/g) ?? []).map((file) => basename(file.slice(8, -1)));
  };
  expect(await files('compose.yml')).toEqual([]);
  for (const name of ['compose.override.yml', 'docker-compose.override.yaml']) {
    write(name, OPEN);
    expect(await files('compose.yml')).toEqual([name]);
    const { json } = await audit('--compose', join(beside, 'compose.yml'), '--json');
    expect(JSON.stringify(json)).toContain(`"kind":"compose","name":"${join(beside, 'compose.yml')}"`);
    expect(await files('docker-compose.yaml')).toEqual([name]);
    expect(await files('other.yml')).toEqual([]);
    rmSync(join(beside, name));
  }
  write('prod.yml', OPEN);
  expect(await files(`other.yml${delimiter}${join(beside, 'prod.yml')}`)).toEqual(['prod.yml']);
  write('compose.override.yml', OPEN);
  write('.env', `A=b\nCOMPOSE_FILE=compose.yml${delimiter}prod.yml\n`);
  expect([await files('compose.yml'), await files('other.yml')]).toEqual([['prod.yml'], []]);
  write('.env', 'COMPOSE_FILE="compose.yml"\r\n');
  expect(await files('compose.yml')).toEqual([]);
});

test('an .env that is a directory, and one beside a Dockerfile, decide nothing', async () => {
  const beside = mkdtempSync(join(directory, 'beside-'));
  const file = (name: string, text: string) => writeFileSync(join(beside, name), text);
  file('c.yml', 'services:\n  web:\n    image: a:1\n');
  file('Dockerfile', 'FROM a:1\nUSER 1\n');
  mkdirSync(join(beside, '.env'));
  expect((await audit('--compose', join(beside, 'c.yml'), '--check', 'compose.unread', '--fail-on', 'high')).exit).toBe(
    0,
  );
  removeSync(join(beside, '.env'));
  symlinkSync('/dev/zero', join(beside, '.env'));
  expect((await audit('--dockerfile', join(beside, 'Dockerfile'))).exit).toBe(0);
  expect((await audit('--compose', join(beside, 'c.yml'))).exit).toBe(2);
});

describe('--out', () => {
  test('a link stays, and what it leads to is the report', async () => {
    writeFileSync(join(directory, 'real.html'), 'old');
    symlinkSync('real.html', join(directory, 'latest.html'));
    expect((await audit('--compose', 'c.yml', '--out', 'latest.html')).exit).toBe(0);
    expect(lstatSync(join(directory, 'latest.html')).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(directory, 'real.html'), 'utf8')).toMatch(/^<!doctype html>/);
  });

  test.runIf(process.getuid?.() === 0)('a device is written to, and not replaced', async () => {
    const path = join(directory, 'null');
    execFileSync('mknod', [path, 'c', '1', '3']);
    expect((await audit('--compose', 'c.yml', '--out', path)).exit).toBe(0);
    expect(lstatSync(path).isCharacterDevice()).toBe(true);
  });

  test('- is standard output, and .sarif.json is SARIF', async () => {
    expect((await audit('--compose', 'c.yml', '--out', '-', '--format', 'junit')).out).toMatch(/^<\?xml/);
    expect((await audit('--compose', 'c.yml', '--out', 'a.sarif.json')).exit).toBe(0);
    expect(readJsonSync(join(directory, 'a.sarif.json')).version).toBe('2.1.0');
    expect(readdirSync(directory)).not.toContain('-');
  });
});

test('a report in UTF-16, as Windows PowerShell writes it, is one to compare with', async () => {
  const { out } = await audit('--compose', 'c.yml', '--json');
  writeFileSync(join(directory, 'u16.json'), `\ufeff${out}`, 'utf16le');
  const { exit, out: text } = await audit('--compose', './c.yml', '--compare', 'u16.json');
  expect(exit).toBe(0);
  expect(text).toSay('since-last-report-new', '0');
});

test('hints name the file as a shell takes it', async () => {
  expect((await audit('--compose', 'my file.yml')).err).toSay('docker-compose-my-file', '--quiet');
  expect((await audit('--compose', 'no file.yml')).err).toContain("ls -l 'no file.yml'");
  if (FLEET_FILES.all.length > 0) {
    expect((await audit('--inventory', 'no file.json')).err).toMatch(/ls -l '[^']*no file\.json'/);
    expect((await audit('-f', 'no file.yaml')).err).not.toMatch(/ls -l [^']*no file/);
  }
  expect((await audit('--compose', 'c.yml', '--out', 'no directory/x.html')).err).toMatch(
    /ls -ld '[^']*no directory' '/,
  );
});

test('--vulnerabilities: the report names the date of that table, and an older one is noted', async () => {
  const row = { affected: [['0', '1.0.0']], severity: 'high', summary: 's', source: 'https://example.com' };
  const write = (date: string) =>
    writeFileSync(
      join(directory, 't.json'),
      JSON.stringify({
        date,
        vulnerabilities: Object.fromEntries(COMPONENTS.map((component) => [component, { 'CVE-2027-1': row }])),
      }),
    );
  const run = async () => {
    const { exit, json, err } = await audit('--compose', 'c.yml', '--vulnerabilities', 't.json', '--json');
    return [exit, /"vulnerabilities":"([^"]*)"/.exec(JSON.stringify(json))?.[1], /older than the built-in/.test(err)];
  };
  const today = new Date().toISOString().slice(0, 10);
  write(today);
  expect(await run()).toEqual([0, today, false]);
  write('2999-01-01');
  expect((await run())[0]).toBe(2);
  write('2020-01-01');
  expect(await run()).toEqual([0, '2020-01-01', true]);
  expect((await audit('--compose', 'c.yml', '--vulnerabilities', 'c.yml')).err).toSay('not-table-vulnerabilities');
});

test('--vulnerabilities-sha256: a table with another hash is not used', async () => {
  const table = readFileSync(new URL('../../../../src/features/audit/domain/vulnerabilities.json', import.meta.url));
  writeFileSync(join(directory, 't.json'), table);
  const hash = createHash('sha256').update(table).digest('hex');
  const pinned = (...argv: string[]) => audit('--compose', 'c.yml', '--vulnerabilities-sha256', ...argv);
  expect((await pinned(hash.toUpperCase(), '--vulnerabilities', 't.json')).exit).toBe(0);
  const { exit, err } = await pinned(
    hash.replace(/^./, (first) => (first === '0' ? '1' : '0')),
    '--vulnerabilities',
    't.json',
  );
  expect([exit, err.replace(/\s+/g, ' ')]).toEqual([2, expect.stringContaining(`has another SHA-256: ${hash}`)]);
  expect((await pinned(hash)).exit).toBe(2);
});

describe('--write-baseline', () => {
  const write = (...argv: string[]) => audit('--compose', 'c.yml', '--write-baseline', 'b.yaml', ...argv);
  const found = (...argv: string[]) => audit('--compose', 'c.yml', '--fail-on', 'info', ...argv);

  test('accepts all that is open, with its reason, until its day', async () => {
    expect((await found()).exit).toBe(3);
    expect((await write('--reason', 'until the move', '--expires', '2999-01-01')).exit).toBe(0);
    const { exit, json } = await found('--baseline', 'b.yaml', '--json');
    expect(exit).toBe(0);
    expect(JSON.stringify(json)).toContain('"accepted":{"reason":"until the move","expires":"2999-01-01"}');
    writeFileSync(join(directory, 'd.yml'), 'services:\n  web:\n    image: a:1\n    pid: host\n');
    expect((await audit('--compose', 'd.yml', '--baseline', 'b.yaml', '--fail-on', 'info')).exit).toBe(3);
  });

  test('keeps what the baseline before it accepts', async () => {
    await write('--reason', 'first', '--expires', '2999-01-01');
    await write('--reason', 'second', '--expires', '2999-01-01', '--baseline', 'b.yaml');
    const text = readFileSync(join(directory, 'b.yaml'), 'utf8');
    expect([/reason: first/.test(text), /reason: second/.test(text)]).toEqual([true, false]);
  });

  test.each([[[]], [['--reason', 'x']], [['--expires', '2999-01-01']], [['--reason', 'x', '--expires', '2020-01-01']]])(
    '%j is refused, and nothing written',
    async (argv) => {
      rmSync(join(directory, 'b.yaml'), { force: true });
      expect((await write(...argv)).exit).toBe(2);
      expect(readdirSync(directory)).not.toContain('b.yaml');
    },
  );

  test('- is refused, and --reason or --expires without it; before anything is read', async () => {
    const missing = (...argv: string[]) => audit('--compose', 'missing.yml', '--json', ...argv);
    for (const argv of [
      ['--write-baseline', '-', '--reason', 'x', '--expires', '2999-01-01'],
      ['--write-baseline', 'b.yaml'],
      ['--reason', 'x'],
      ['--expires', '2999-01-01'],
    ])
      expect((await missing(...argv)).json.error).toMatchObject({
        code: 'E_USAGE',
        message: expect.stringMatching(/baseline/),
      });
  });
});

test('a directory with the name of a host is no file', async () => {
  mkdirSync(join(directory, 'web'), { recursive: true });
  writeFileSync(join(directory, 'web.yml'), 'services:\n  web:\n    image: a:1\n');
  const named = async (host: string) => (await audit(host, '--compose', 'c.yml', '--json')).json.error;
  expect((await named('web.yml'))?.message).toSay('stands-where-host-does');
  expect(JSON.stringify(await named('web'))).not.toSay('stands-where-host-does');
});
