import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Command, defineCommand } from '../../../src/cli/command.ts';
import { COMMANDS, commandGroups, findCommand, firstCommands } from '../../../src/cli/commands.ts';
import { glance } from '../../../src/cli/global-options.ts';
import { renderCommand, renderOverview } from '../../../src/cli/help.ts';
import { parseDuration, parseOptions } from '../../../src/cli/options.ts';
import { editDistance, nearestNames } from '../../../src/core/domain/nearest.ts';
import { optionFlag } from '../../../src/core/domain/option-flag.ts';
import { DockerTlsError } from '../../../src/errors/errors.ts';

const SRC = new URL('../../../src', import.meta.url).pathname;
const around = { env: { HOME: '/home/u' }, cwd: '/work' };
const about = { name: 'sample', summary: 'A sample' };
const file = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  args: { host: { summary: 'the host', required: true }, more: { summary: 'others', many: true } },
  options: {
    caDays: { kind: 'number', min: 1, max: 100, summary: 'days' },
    keyType: { kind: 'choice', choices: ['p256', 'p384'], summary: 'kind of key' },
    san: { kind: 'list', summary: 'names' },
    identity: { kind: 'text', short: 'i', value: 'FILE', summary: 'key' },
    within: { kind: 'duration', summary: 'time' },
    keyFile: { kind: 'list', value: 'FILE', summary: 'keys', completes: 'file' },
    use: { kind: 'flag', summary: 'use it' },
    noCaPassphrase: { kind: 'flag', summary: 'no passphrase' },
  },
  run: async ({ args, options }) => ({ exit: 0, result: { args, options }, text: '' }),
});
const sample: Command = { ...about, ...file };

function refusal(argv: readonly string[], command: Command = sample): DockerTlsError {
  try {
    parseOptions(command, argv, around);
  } catch (error) {
    if (error instanceof DockerTlsError) return error;
    throw error;
  }
  throw new Error(`accepted: ${argv.join(' ')}`);
}

test('values of every kind', () => {
  const argv = ['h', 'a', 'b', '--ca-days', '30', '--key-type=p384', '--san', 'x,y', '--san', 'z', '-i', 'k'];
  const { args, options } = parseOptions(sample, [...argv, '--within', '2d', '--use', '--no-ca-passphrase'], around);
  expect(args).toEqual({ host: 'h', more: ['a', 'b'] });
  expect(options).toMatchObject({
    caDays: 30,
    keyType: 'p384',
    san: ['x', 'y', 'z'],
    identity: 'k',
    within: 172_800_000,
    use: true,
    noCaPassphrase: true,
  });
});

// A file name may contain a comma; lists of names are split at commas (above).
test("the home directory in a file's name is found where the shell leaves it to us", () => {
  const argv = ['h', '--key-file=~/a,b', '--key-file', '~/c', '-i', '~/plain-text', '--log=~/run.log'];
  const { options, global } = parseOptions(sample, argv, around);
  expect(options.keyFile).toEqual(['/home/u/a,b', '/home/u/c']);
  expect(options.identity).toBe('~/plain-text');
  expect(global.log).toBe('/home/u/run.log');
});

test('what is not given is false, empty or undefined', () => {
  const { args, options, global } = parseOptions(sample, ['h'], around);
  expect(args).toEqual({ host: 'h', more: [] });
  expect(options).toMatchObject({ san: [], use: false, noCaPassphrase: false, noColor: false });
  expect([options.caDays, options.keyType, options.identity]).toEqual([undefined, undefined, undefined]);
  expect(global).toEqual({
    json: false,
    yes: false,
    dryRun: false,
    home: '/home/u/.docker/tls',
    file: undefined,
    trustStoreSettings: [],
    parallel: undefined,
    log: undefined,
    verbose: false,
    quiet: false,
    diff: false,
  });
});

test.each([
  [{}, [], '/home/u/.docker/tls'],
  [{ DOCKER_CONFIG: '/cfg' }, [], '/cfg/tls'],
  [{ DOCKER_CONFIG: '/cfg', DOCKER_TLS_HOME: 'store' }, [], '/work/store'],
  [{ DOCKER_TLS_HOME: '/store' }, ['--home', 'other'], '/work/other'],
])('with %j and %j the store is %s', (env, argv, home) => {
  const parsed = parseOptions(sample, ['h', ...argv], { ...around, env: { ...around.env, ...env } });
  expect(parsed.global.home).toBe(home);
});

test.each([
  [['h', '--ca-day', '3'], expect.stringMatching(/unknown option '--ca-day'/), 'did you mean --ca-days?'],
  [['h', '--ca-day=3'], expect.stringMatching(/unknown option/), 'did you mean --ca-days?'],
  [
    ['h', '--ca-days', '0'],
    expect.toSay('not-whole-number', '--ca-days', '"0"', '1', '100'),
    'docker-tls sample --help',
  ],
  [
    ['h', '--ca-days', '101'],
    expect.toSay('not-whole-number', '--ca-days', '"101"', '1', '100'),
    'docker-tls sample --help',
  ],
  [['h', '--ca-days', '1e1'], expect.toSay('not-whole-number-2'), 'docker-tls sample --help'],
  [['h', '--parallel', '0'], expect.stringMatching(/--parallel/), 'docker-tls sample --help'],
  [['h', '--key-type', 'p265'], expect.stringMatching(/not one of p256, p384/), 'did you mean p256?'],
  [['h', '--within', '2 days'], expect.stringMatching(/not a duration/), 'docker-tls sample --help'],
  [['h', '--identity'], expect.stringMatching(/argument missing/), 'docker-tls sample --help'],
  [['h', '--identity', ''], expect.stringMatching(/empty/), 'docker-tls sample --help'],
  [['h', '--san', ''], expect.toSay('value-empty', '--san'), 'docker-tls sample --help'],
  [['h', '--san', 'x', '--san', ','], expect.toSay('value-empty', '--san'), 'docker-tls sample --help'],
  [['h', '--key-file='], expect.toSay('value-empty', '--key-file'), 'docker-tls sample --help'],
  [[], expect.toSay('missing-required-argument-host'), 'docker-tls sample --help'],
] as const)('%j is refused as a usage error', (argv, message, hint) => {
  const error = refusal(argv);
  expect(error).toMatchObject({ code: 'E_USAGE', exit: 2 });
  expect(error.message).toEqual(message);
  expect(error.hints).toContain(hint);
});

test('too many arguments are refused', () => {
  const one = { ...sample, args: {} };
  expect(refusal(['h'], one)).toMatchObject({ code: 'E_USAGE' });
});

test('values of a list in several words: none is taken for the argument in silence', () => {
  const one = { ...sample, args: { host: { summary: '' } } };
  const joined = 'several values are one word: --san 10.0.0.9,fd00::9';
  expect(refusal(['h', '--san', '10.0.0.9', 'fd00::9'], one)).toMatchObject({
    code: 'E_USAGE',
    message: expect.stringContaining('too many arguments'),
    hints: expect.arrayContaining([joined]),
  });
  expect(refusal(['--san', '10.0.0.9', 'fd00::9'], one)).toMatchObject({
    code: 'E_USAGE',
    message: expect.toSay('after-may-second-value', 'fd00::9', '--san', '10.0.0.9'),
    hints: [joined, expect.toSay('argument', 'docker-tls sample fd00::9 --san 10.0.0.9')],
  });
  for (const words of [
    ['--san', '10.0.0.9', 'root@10.0.0.1'],
    ['10.0.0.1', '--san', '10.0.0.9'],
    ['--san=10.0.0.9', '10.0.0.1'],
  ])
    expect(parseOptions(one, words, around).options.san).toEqual(['10.0.0.9']);
});

test('the first words are found around the options of every command', () => {
  expect(glance(['--json', '--log', 'x', 'rotate', '--home', 'h', 'server', 'a']).words).toEqual([3, 6, 7]);
  expect(glance(['status', '--', '--json'])).toMatchObject({ json: false, words: [0] });
  expect(glance(['status', '--json', '--no-color', '-v', '-h'])).toMatchObject({
    json: true,
    colour: false,
    verbose: true,
    help: true,
  });
  expect(glance(['--version']).version).toBe(true);
  expect(glance(['setup', '--version']).version).toBe(false);
  expect([['-V'], ['-v'], ['setup', '-v'], ['--json', '-v']].map((argv) => glance(argv).version)).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

const entries = ['plan', 'apply', 'rotate server', 'rotate client', 'rotate all'].map((name) => ({
  name,
  summary: '',
  load: async () => sample,
}));

test('commands in groups', () => {
  expect(findCommand(['rotate', 'all'], entries)).toMatchObject({ kind: 'command', entry: { name: 'rotate all' } });
  expect(findCommand(['rotate'], entries)).toMatchObject({ kind: 'group', name: 'rotate' });
  expect(findCommand(['plan', 'host'], entries)).toMatchObject({ kind: 'command', entry: { name: 'plan' } });
  expect(findCommand(['aply'], entries)).toEqual({ kind: 'unknown', nearest: ['apply'] });
  expect(findCommand(['rotate', 'sever'], entries)).toEqual({ kind: 'unknown', nearest: ['rotate server'] });
  expect(findCommand(['rotate', 'xxxxxx'], entries)).toMatchObject({ kind: 'unknown', nearest: { length: 3 } });
  expect(findCommand(['revoke', 'bob'])).toEqual({ kind: 'unknown', nearest: ['client revoke'] });
  expect(findCommand(['rm', 'x'])).toEqual({ kind: 'unknown', nearest: ['remove', 'forget'] });
  expect(findCommand(['list'])).toMatchObject({
    kind: 'unknown',
    nearest: expect.arrayContaining(['status', 'client list']),
  });
  expect(findCommand(['client', 'rm'])).toMatchObject({ kind: 'command', entry: { name: 'client revoke' } });
  expect(findCommand(['client', 'ls'])).toMatchObject({ kind: 'command', entry: { name: 'client list' } });
  expect(findCommand(['qqqqqq'], entries)).toEqual({ kind: 'unknown', nearest: [] });
  expect(findCommand([], entries).kind).toBe('unknown');
});

/** The text of each command by its name, such as `ca-create`, with that of its parts: the files beside it that it imports. */
function commandTexts(): ReadonlyMap<string, string> {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((file) =>
    /\/commands\/[^/]+\.ts$/.test(file),
  );
  const texts = new Map(files.map((file) => [file, readFileSync(join(SRC, file), 'utf8')]));
  const parts = new Set<string>();
  const whole = [...texts].map(([file, text]): [string, string] => {
    const beside = [...text.matchAll(/from '\.\/([^']+)'/g)].map(([, name = '']) => join(dirname(file), name));
    for (const part of beside) parts.add(part);
    return [file, [text, ...beside.map((part) => texts.get(part) ?? '')].join('')];
  });
  return new Map(whole.flatMap(([file, text]) => (parts.has(file) ? [] : [[basename(file, '.ts'), text]])));
}

test('every command in the list has a file of its own name, with options that can be parsed', async () => {
  expect(COMMANDS.map(({ name }) => name.replace(' ', '-')).sort()).toEqual([...commandTexts().keys()].sort());
  for (const { load } of COMMANDS) {
    const command = await load();
    const required = Object.values(command.args).flatMap((spec) => (spec.required ? [spec.choices?.[0] ?? 'x'] : []));
    expect(() => parseOptions(command, required, around)).not.toThrow();
    const many = Object.values(command.args).map((spec) => spec.many === true);
    expect(many.slice(0, -1)).not.toContain(true);
  }
});

test('nearest names', () => {
  expect(nearestNames('satus', ['status', 'setup', 'plan'])).toEqual(['status']);
  expect(nearestNames('--adress', ['--address', '--days'])).toEqual(['--address']);
  expect(nearestNames('zzzz', ['status'])).toEqual([]);
});

test('the distance of two words is symmetric, zero only for the same, and never above the longer length', () => {
  const word = fc.string({ maxLength: 8 });
  fc.assert(
    fc.property(word, word, (left, right) => {
      const distance = editDistance(left, right);
      expect(distance).toBe(editDistance(right, left));
      expect(distance === 0).toBe(left === right);
      expect(distance).toBeLessThanOrEqual(Math.max(left.length, right.length));
    }),
  );
  expect(editDistance('plna', 'plan')).toBe(1);
});

test('durations', () => {
  expect(['90s', '15m', '12h', '30d', '2w'].map(parseDuration)).toEqual([9e4, 9e5, 432e5, 2592e6, 12096e5]);
  expect(['', '5', '5y', '-5d', '1.5h', ' 5d', '99999999d'].map(parseDuration)).toEqual(Array(7).fill(undefined));
});

test('flags from keys', () => {
  expect(['caDays', 'noUse', 'json', 'caPassphraseFile'].map(optionFlag)).toEqual([
    '--ca-days',
    '--no-use',
    '--json',
    '--ca-passphrase-file',
  ]);
});

test('no arguments, however strange, make the parser fail in another way than by E_USAGE', () => {
  const words = fc.array(fc.oneof(fc.string(), fc.constantFrom('--san', '-i', '--json', '--', '-', '--ca-days=', 'h')));
  fc.assert(
    fc.property(words, (argv) => {
      glance(argv);
      try {
        parseOptions(sample, argv, around);
      } catch (error) {
        expect(error).toMatchObject({ code: 'E_USAGE', exit: 2 });
      }
    }),
  );
});

test('the scope fleet have exactly those commands that take hosts of a file', async () => {
  const texts = commandTexts();
  const reads =
    /openStoredRun|keyPassphrase|openHosts|planNamedHosts|openRestore|selectSpecs|loggedRequests|changeSockets|openFleetFile|global\.file|askWitnesses|confirmNewest/;
  for (const { name, load } of COMMANDS) {
    const { scope } = await load();
    expect([name, reads.test(texts.get(name.replace(' ', '-')) ?? '')]).toEqual([name, scope.includes('fleet')]);
  }
});

test.each([
  ['env', ['web', '--yes'], expect.toSay('changes-nothing-takes-no', 'env', '--yes')],
  ['status', ['-y'], expect.toSay('changes-nothing-takes-no', 'status', '--yes')],
  ['plan', ['--dry-run'], expect.toSay('changes-nothing-takes-no', 'plan', '--dry-run')],
  ['verify', ['--diff'], expect.toSay('shows-no-plan', 'verify', '--diff')],
  ['client use', ['me', '--parallel=3'], expect.toSay('not-several-hosts', 'client use', '--parallel')],
  ['rename', ['a', 'b', '--log', 'x'], expect.toSay('reaches-no-host', 'rename', '--log')],
  ['version', ['--home', 'x'], expect.toSay('opens-no-store', 'version', '--home')],
  [
    'client list',
    ['--trust-store-settings', 'x'],
    expect.toSay('nothing-reaches-no-host', 'client list', '--trust-store-settings'),
  ],
])('%s %j is refused, since it would mean nothing', async (name, argv, message) => {
  const command = await COMMANDS.find((one) => one.name === name)?.load();
  expect(command && refusal(argv, command)).toMatchObject({ code: 'E_USAGE', message });
});

function checkPage(command: Command, topic: string | undefined): void {
  const page = renderCommand('docker-tls', command, 80, { topic }).split('\n');
  const examples = page.indexOf('Examples:');
  for (const line of page.slice(1, examples < 0 ? undefined : examples))
    expect.soft([command.name, line, line.length <= 80]).toEqual([command.name, line, true]);
  if (command.name === 'harden') expect(page.length - 1).toBeLessThanOrEqual(45);
}

test('the help of harden fits on a screen, and every page in its columns', async () => {
  for (const { load } of COMMANDS) {
    const command = await load();
    for (const topic of [undefined, ...Object.keys(command.topics ?? {})]) checkPage(command, topic);
  }
});

test('an option of a topic is on the pages of its topics alone', () => {
  const options = { ...sample.options, pin: { kind: 'flag', summary: '', topics: ['token'] } } as const;
  const topics = { token: { about: 'A token.', examples: ['docker-tls sample --pin'] } };
  const page = (topic?: string) => renderCommand('docker-tls', { ...sample, options, topics }, 80, { topic });
  expect(page()).not.toContain('--pin');
  expect(page()).toContain('docker-tls sample --help token');
  expect(page('token')).toMatch(/A token\.\n(.*\n)*.*--pin\b(.*\n)*Examples:\n {2}docker-tls sample --pin/);
  expect(parseOptions({ ...sample, options, topics }, ['h', '--pin'], around).options.pin).toBe(true);
});

test('every default has one form, and an unlisted choice is not offered', async () => {
  for (const { load } of COMMANDS) {
    const { name, args, options } = await load();
    for (const [key, { summary }] of Object.entries({ ...args, ...options }))
      expect.soft([name, key, summary]).toEqual([name, key, expect.not.stringMatching(/(?<!\()\bdefault:?/)]);
  }
  const options = { one: { kind: 'choice', choices: ['a', 'b'], unlisted: ['b'], summary: '' } } as const;
  expect(renderCommand('docker-tls', { ...sample, options }, 80)).toMatch(/--one a\s/);
  expect(parseOptions({ ...sample, options }, ['h', '--one', 'b'], around).options.one).toBe('b');
});

test('the first page: eight commands, then every other one in a group', async () => {
  for (const program of ['docker-tls', 'docker --config /etc/docker-of-ops tls']) {
    const page = renderOverview(program, COMMANDS, { columns: 80, sharedStore: false });
    expect(page.trimEnd().split('\n').length).toBeLessThanOrEqual(30);
    for (const line of page.split('\n').slice(0, -3)) expect(line.length).toBeLessThanOrEqual(80);
  }
  const first = firstCommands(COMMANDS).map(({ name }) => name);
  expect(first).toEqual(['setup', 'status', 'plan', 'apply', 'rotate', 'client', 'env', 'remove']);
  const grouped = commandGroups(COMMANDS).flatMap(({ entries }) => entries.map(({ name }) => name));
  expect(new Set(grouped).size).toBe(grouped.length);
  expect(COMMANDS.map(({ name }) => name).filter((name) => !grouped.includes(name))).toEqual(
    expect.not.arrayContaining([expect.not.stringMatching(/^(setup|status|plan|apply|rotate .*|env|remove)$/)]),
  );
});

test('commands of a shared store are named once there is one', () => {
  const group = { name: 'team', summary: 'Share it', shared: true } as const;
  const commands = [{ name: 'log', summary: '', group, load: async () => sample }];
  const page = (sharedStore: boolean) => renderOverview('docker-tls', commands, { columns: 80, sharedStore });
  expect(page(false)).toMatch(/^ {2}team {2}Share it$/m);
  expect(page(true)).toMatch(/^ {2}team {2}log$/m);
});
