import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type CommandResult, defineCommand } from '../../src/cli/command.ts';
import type { StoredClient } from '../../src/core/adapters/store/records.ts';
import { openStore } from '../../src/core/adapters/store/store.ts';
import { Secret } from '../../src/core/domain/secret.ts';
import { offeredCommands } from '../../src/core/seams/offered-commands.ts';
import { DockerTlsError, DockerTlsErrors } from '../../src/errors/errors.ts';
import { CertificateFactory } from '../support/certificate-factory.ts';
import { runCli } from '../support/cli.ts';

/** Runs main() with a single command `try`, defined by the test. */
async function runTry(
  run: () => CommandResult | Promise<CommandResult>,
  argv: readonly string[] = [],
  signal?: AbortSignal,
) {
  const file = defineCommand({
    scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
    args: {},
    options: {},
    run: async () => run(),
  });
  const about = { name: 'try', summary: 'Try' };
  const commands = [{ ...about, load: async () => ({ ...about, ...file }) }];
  const { exit, out, err } = await runCli(['try', ...argv], { commands, signal });
  return { exit, out, err };
}

const unreachable = new DockerTlsError('E_SSH_UNREACHABLE', 'no answer', {
  where: 'build-1',
  details: ['dialled 192.0.2.1 port 22'],
  hints: ['ping build-1'],
});
const failed = new DockerTlsError('E_APPLY', 'dockerd did not start', { where: 'build-2' }).afterRollback();

test('without words, and with --help, the overview is printed', async () => {
  const bare = await runCli([]);
  const help = await runCli(['--help']);
  expect(bare).toMatchObject({ exit: 0, err: '' });
  expect(bare.out).toBe(help.out);
  expect(bare.out).toMatch(/Usage: docker-tls COMMAND/);
  for (const line of bare.out.split('\n')) expect(line.length).toBeLessThanOrEqual(110);
});

test('help of a command, as an option, as a word, and as a plugin', async () => {
  const option = await runCli(['version', '--help']);
  expect(option.out).toMatch(/Usage: docker-tls version \[OPTION…\]/);
  expect((await runCli(['help', 'version'])).out).toBe(option.out);
  const plugin = await runCli(['tls', 'version', '-h']);
  expect(plugin.out).toBe(
    option.out
      .replace('Usage: docker-tls', 'Usage: docker tls')
      .replace(/\(see .*\)/, (pages) => pages.replaceAll('-tls', ' tls')),
  );
  expect((await runCli(['help', 'tls', 'version'])).out).toBe(plugin.out);
});

test.each([
  ['ca try --cert ca.pem --help', /Usage: .*More options:/s],
  ['ca try --help --cert ca.pem', /Usage: .*More options:/s],
  ['ca --help try', /Usage: .*More options:/s],
  ['ca try ca.pem -h', /Usage: .*More options:/s],
  ['ca try --cert ca.pem --help token', /A token\./],
  ['help ca try token', /A token\./],
  ['ca try --help ca.pem', /no help about "ca\.pem"/],
  ['help ca try ca.pem', /no help about "ca\.pem"/],
])('a topic of the help stands directly behind --help, or ends `help …`: %s', async (line, expected) => {
  const file = defineCommand({
    scope: [],
    args: {},
    options: { cert: { kind: 'text', value: 'FILE', summary: 'a certificate' } },
    topics: { token: { about: 'A token.', examples: [] } },
    run: async () => ({ exit: 0, result: undefined, text: 'ran' }),
  });
  const about = { name: 'ca try', summary: 'Try' };
  const { out, err } = await runCli(line.split(' '), {
    commands: [{ ...about, load: async () => ({ ...about, ...file }) }],
  });
  expect(out + err).toMatch(expected);
});

test.each([
  ['try', 'none []'],
  ['try --key', ' []'],
  ['try --key --json', '{"text":" []"}'],
  ['try a --key', ' [a]'],
  ['try --key file a', 'file [a]'],
  ['try --key=file a', 'file [a]'],
  ['try --key=', 'the value is empty'],
  ['try --key ', 'the value is empty'],
])('an option whose value is optional stands alone before another one, or at the end: %s', async (line, expected) => {
  const file = defineCommand({
    scope: [],
    args: { hosts: { summary: 'hosts', many: true } },
    options: { key: { kind: 'text', optional: true, value: 'KEY', summary: 'a key' } },
    async run({ args, options }) {
      const text = `${options.key ?? 'none'} [${args.hosts}]`;
      return { exit: 0, result: { text }, text };
    },
  });
  const about = { name: 'try', summary: 'Try' };
  const commands = [{ ...about, load: async () => ({ ...about, ...file }) }];
  const { out, err } = await runCli(line.split(' '), { commands });
  expect((out + err).replace(/\s+(?=["{}:])|(?<=["{}:])\s+(?=["{}])/g, '')).toContain(expected);
  expect((await runCli(['try', '--help'], { commands })).out).toContain('--key [KEY]');
});

test('help of a group', async () => {
  const group = await runCli(['help', 'clients']);
  expect(group.out).toMatch(/^ {2}client add /m);
  expect((await runCli(['tls', 'help', 'clients'])).out).toContain('One command: docker tls COMMAND --help');
});

test('renew is no command, but says what is due and the commands that renew it', async () => {
  const home = mkdtempSync(join(tmpdir(), 'docker-tls-renew-'));
  const renew = (days: number) =>
    runCli(['renew', '--home', home], { now: () => new Date(Date.now() + days * 86_400_000) });
  try {
    const empty = await renew(0);
    expect(empty.exit).toBe(2);
    expect(empty.err).toSay('no-command-nothing-set', '"renew"');
    expect(empty.err).toContain(`hint: docker-tls --home ${home} setup root@HOST`);
    expect(empty.err).not.toContain('rotate');
    await runCli(['ca', 'create', '--no-ca-passphrase', '--home', home]);
    expect((await renew(0)).err).toSay('no-command-nothing-due', '"renew"');
    await runCli(['client', 'add', 'ci', '--days', '30', '--yes', '--home', home]);
    const { err } = await renew(25);
    expect(err).toSay('due-client-days-left', 'ci');
    expect(err).toContain(`hint: docker-tls --home ${home} rotate client --due`);
    expect(err).not.toContain('rotate server');
    expect((await renew(32.5)).err).toSay('due-client-expired-days', 'ci', '3');
    const store = openStore(home);
    await store.withLock('test', async () => {
      const {
        key: _,
        directory: __,
        ...ci
      } = (await store.read()).clients.get('ci') as StoredClient & { directory: string };
      await store.write({ clients: { ci } });
    });
    const external = await renew(25);
    expect(external.err).not.toContain('rotate client --due');
  } finally {
    rmSync(home, { recursive: true });
  }
});

test('renew: an old CA that expired is dropped', async () => {
  const factory = new CertificateFactory();
  const home = mkdtempSync(join(tmpdir(), 'docker-tls-renew-'));
  try {
    await runCli(['ca', 'create', '--no-ca-passphrase', '--home', home]);
    const store = openStore(home);
    const old = factory.issue('Old CA', { ca: true, from: -9, to: -2 });
    await store.withLock('test', () => store.write({ oldCas: [{ cert: old.cert }] }));
    const { err } = await runCli(['renew', '--home', home]);
    expect(err).toSay('due-old-ca-expired');
    for (const one of offeredCommands('new CA', '--drop'))
      expect(err).toContain(`hint: ${one.replace('docker-tls', `docker-tls --home ${home}`)}`);
  } finally {
    factory.remove();
    rmSync(home, { recursive: true });
  }
});

test('a result: text for people, one document for programs', async () => {
  const result: CommandResult = { exit: 0, result: { hosts: 2, key: new Secret('hidden') }, text: '2 hosts' };
  expect(await runTry(() => result)).toEqual({ exit: 0, out: '2 hosts\n', err: '' });
  const { exit, out, err } = await runTry(() => result, ['--json']);
  expect([exit, err]).toEqual([0, '']);
  expect(JSON.parse(out)).toEqual({ schema: 1, command: 'try', ok: true, result: { hosts: 2, key: '***' } });
});

test('an honest no is a result that is not ok', async () => {
  const { exit, out } = await runTry(() => ({ exit: 3, result: { due: 1 }, text: '' }), ['--json']);
  expect(exit).toBe(3);
  expect(JSON.parse(out)).toMatchObject({ ok: false, result: { due: 1 } });
});

test('a failure for people: code, place, details, hints', async () => {
  const run = await runTry(() => Promise.reject(unreachable));
  expect(run).toEqual({
    exit: 4,
    out: '',
    err: expect.toSay('error-no-answer-dialled', 'E_SSH_UNREACHABLE', 'build-1', '192.0.2.1', 22, 'ping build-1'),
  });
});

test('a failure for programs', async () => {
  const { exit, out, err } = await runTry(() => Promise.reject(unreachable), ['--json']);
  expect([exit, err]).toEqual([4, '']);
  expect(JSON.parse(out)).toEqual({
    schema: 1,
    command: 'try',
    ok: false,
    error: {
      code: 'E_SSH_UNREACHABLE',
      message: 'no answer',
      where: 'build-1',
      hints: ['ping build-1'],
      details: ['dialled 192.0.2.1 port 22'],
    },
  });
});

test('several failures: all are said, the gravest gives the status', async () => {
  const several = () => Promise.reject(new DockerTlsErrors([unreachable, failed]));
  const people = await runTry(several);
  expect(people.exit).toBe(5);
  expect(people.err).toMatch(/E_SSH_UNREACHABLE[\s\S]*E_APPLY/);
  const { out } = await runTry(several, ['--json']);
  const { error } = JSON.parse(out);
  expect(error).toMatchObject({ code: 'E_SEVERAL', message: '2 failures' });
  expect(error.errors.map((one: { code: string }) => one.code)).toEqual(['E_SSH_UNREACHABLE', 'E_APPLY']);
});

test('a fleet: the result stands, and beside it what failed', async () => {
  const fleet = () => ({ exit: 0 as const, result: { hosts: 3 }, text: 'table', errors: [unreachable, failed] });
  const people = await runTry(fleet);
  expect(people).toMatchObject({ exit: 5, out: 'table\n' });
  expect(people.err).toMatch(/E_SSH_UNREACHABLE[\s\S]*E_APPLY/);
  const { out } = await runTry(fleet, ['--json']);
  expect(JSON.parse(out)).toMatchObject({ ok: false, result: { hosts: 3 }, error: { code: 'E_SEVERAL' } });
});

test('a bug is said shortly; its stack only with -v', async () => {
  const bug = () => Promise.reject(new TypeError('x is not\u001b[2J a function'));
  const short = await runTry(bug);
  expect(short.exit).toBe(1);
  expect(short.err).toSay('docker-tls-typeerror-not-function', 'E_BUG');
  expect(short.err).not.toMatch(/\bat .*main\.test/);
  expect((await runTry(bug, ['-v'])).err).toMatch(/\bat .*main\.test/);
  expect(JSON.parse((await runTry(bug, ['--json'])).out).error.code).toBe('E_BUG');
  expect((await runTry(() => Promise.reject('thrown text'))).err).toMatch(/E_BUG/);
});

test('usage errors come as one document too, wherever --json stands', async () => {
  for (const argv of [
    ['--json', 'staus'],
    ['rename', '--json'],
    ['rename', 'a', 'b', '--nope', '--json'],
  ]) {
    const run = await runCli(argv);
    expect(run).toMatchObject({ exit: 2, err: '' });
    expect(run.json).toMatchObject({ schema: 1, ok: false, error: { code: 'E_USAGE' } });
  }
  expect((await runCli(['rename', '--json'])).json.command).toBe('rename');
});

test('an unknown command names the nearest', async () => {
  const run = await runCli(['renmae']);
  expect(run.exit).toBe(2);
  expect(run.err).toSay('error-no-command-hint', 'E_USAGE', 'renmae', 'docker-tls rename --help');
  expect((await runCli(['\u001b[31mx'])).err).not.toContain('\u001b');
});

test('what a host printed cannot drive the terminal, in JSON either', async () => {
  const evil = 'a\u009b2Jb\u202ec\u001b[2Jd';
  const { out } = await runTry(() => ({ exit: 0, result: { evil }, text: '' }), ['--json']);
  expect(out).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
  expect(JSON.parse(out).result.evil).toBe(evil);
});

test('nor can any part of an error, which is what a host said', async () => {
  const unseen = [0, 8, 0x7f, 0x9b, 0x200b, 0x200f, 0x2028, 0x202a, 0x202e, 0x2060, 0x2066, 0x2069, 0xfeff, 0xfff9];
  const evil = `a${String.fromCodePoint(...unseen)}b\u001b[2J\u001b]0;title\u0007c`;
  const error = new DockerTlsError('E_APPLY', evil, { where: evil, details: [evil], hints: [evil] });
  const { err } = await runTry(() => Promise.reject(error));
  expect(err).toBe('error[E_APPLY] abc: abc\n  abc\n  hint: abc\n');
});

test('--log appends times, errors and the status to a file of mode 0600', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-log-'));
  try {
    const file = join(directory, 'run.log');
    await runTry(() => Promise.reject(unreachable), ['--log', file]);
    await runTry(() => ({ exit: 0, result: {}, text: '' }), ['--log', file]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(lines).toHaveLength(5);
    for (const line of lines) expect(line).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z \S/);
    expect(lines[1]).toMatch(/error\[E_SSH_UNREACHABLE\] build-1: no answer$/);
    expect(lines[2]).toMatch(/exit status 4$/);
    const missing = await runTry(() => ({ exit: 0, result: {}, text: '' }), ['--log', join(directory, 'no/such/file')]);
    expect(missing).toMatchObject({ exit: 2, out: '' });
    expect(missing.err).toMatch(/^error\[E_LOG_FILE\]/);
  } finally {
    rmSync(directory, { recursive: true });
  }
});

test('work that stopped because the run was stopped is interrupted; the same error without that is a bug', async () => {
  const abort = () => {
    const error = new Error('The operation was aborted');
    error.name = 'AbortError';
    return Promise.reject(error);
  };
  const stopped = await runTry(abort, [], AbortSignal.abort());
  expect(stopped.exit).toBe(130);
  expect(stopped.err).toMatch(/^error\[E_INTERRUPTED\]/);
  expect((await runTry(abort)).exit).toBe(1);
});

test('a stop that comes when everything is done already is said to be too late', async () => {
  const controller = new AbortController();
  const done = await runTry(
    () => {
      controller.abort();
      return { exit: 0, result: {}, text: 'done' };
    },
    [],
    controller.signal,
  );
  expect(done).toMatchObject({ exit: 0, out: 'done\n' });
  expect(done.err).toSay('stopped-too-late-everything');
  expect((await runTry(() => ({ exit: 0, result: {}, text: 'done' }))).err).toBe('');
});
