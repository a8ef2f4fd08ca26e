/** Commands to paste: written as `docker-tls …`, printed as this person must type them. */
import { describe, expect, test } from 'vitest';
import { typedAgain } from '../../src/cli/again.ts';
import { type CommandEntry, defineCommand, listCommand } from '../../src/cli/command.ts';
import { COMMANDS } from '../../src/cli/commands.ts';
import { hintPrefix } from '../../src/cli/hint-prefix.ts';
import { CLIENT_OPTION, FILE } from '../../src/cli/host-options.ts';
import { asWritten } from '../../src/errors/errors.ts';

describe.each([
  ['as itself', 'docker-tls', undefined, 'docker-tls'],
  ['with --home', 'docker-tls', '/srv/two words', "docker-tls --home '/srv/two words'"],
  ['as a plugin', 'docker tls', undefined, 'docker tls'],
  ['as a plugin with --home', 'docker --config /c tls', 'x', 'docker --config /c tls --home x'],
] as const)('called %s', (_name, program, home, own) => {
  const words = hintPrefix(program, home);

  test.each([
    ['docker-tls verify build-1', `${own} verify build-1`],
    ['eval "$(docker-tls env build-1)"', `eval "$(${own} env build-1)"`],
    ['if eve is out: docker-tls client revoke eve', `if eve is out: ${own} client revoke eve`],
    ['run docker-tls plan, then docker-tls apply', `run ${own} plan, then ${own} apply`],
    [
      'where there is none: docker-tls ca create --ca-name NAME',
      `where there is none: ${own} ca create --ca-name NAME`,
    ],
    ['then here:        docker-tls client list', `then here:        ${own} client list`],
  ])('%s', (line, said) => {
    expect(words(line)).toBe(said);
  });

  test.each(['apt-get install docker-tls', 'ls /usr/lib/docker-tls status', 'docker-tls renews them'])(
    '%s stays',
    (line) => {
      expect(words(line)).toBe(line);
    },
  );
});

test('--home is shown with exactly those commands that take it', async () => {
  const words = hintPrefix('docker-tls', '/srv');
  for (const { name, load } of COMMANDS) {
    const takes = (await load()).scope.includes('store');
    expect(words(`docker-tls ${name}`)).toBe(takes ? `docker-tls --home /srv ${name}` : `docker-tls ${name}`);
  }
});

test('what is typed on another computer, or names a store of its own, is shown as it is written', () => {
  const words = hintPrefix('docker tls', '/h');
  expect(words(asWritten('where the CA is: docker-tls ca show'))).toBe('where the CA is: docker-tls ca show');
  expect(words(asWritten('docker-tls --home /srv/copy status'))).toBe('docker-tls --home /srv/copy status');
  // Also without a prefix, and in JSON.
  expect(hintPrefix('docker-tls', undefined)(asWritten('docker-tls status'))).toBe('docker-tls status');
  expect(JSON.stringify({ next: [asWritten('docker-tls status')] })).toBe('{"next":["docker-tls status"]}');
});

const exec = await listCommand({ name: 'exec', summary: '' }, async () => ({
  command: defineCommand({
    scope: ['host', 'store'],
    args: { host: { summary: '', required: true }, command: { summary: '', many: true } },
    options: {
      client: CLIENT_OPTION,
      socket: { ...FILE, value: 'PATH', summary: '' },
      port: { kind: 'number', value: 'N', min: 1, max: 65_535, summary: '' },
    },
    run: async () => ({ exit: 0, result: undefined, text: '' }),
  }),
})).load();

test.each([
  [
    ['build-1', '--', 'docker', 'run', '-v', 'a b:/x', '--client', 'x'],
    "build-1 --client ci -- docker run -v 'a b:/x' --client x",
  ],
  [['--client', 'x', '--port', '9', 'build-1'], '--port 9 build-1 --client ci'],
  [['--client=x', 'build-1', '--home', '/h', '--home=/h'], 'build-1 --client ci'],
])('what was typed is typed again with another client: %j', (typed, words) => {
  expect(typedAgain(exec, typed)({ client: 'ci' })).toBe(`docker-tls exec ${words}`);
});

test.each([
  [['--sign', '--home', '/h', '--out', 'x'], '--sign --out x --client ci'],
  [['--sign', 'KEY', '--home', '/h'], '--sign KEY --client ci'],
  [['--home', '/h', '--sign'], '--sign --client ci'],
])('an option that stands alone takes no other option for its value: %j', (typed, words) => {
  const options = { ...exec.options, sign: { kind: 'text', optional: true, summary: '' } } as const;
  expect(typedAgain({ ...exec, options }, typed)({ client: 'ci' })).toBe(`docker-tls exec ${words}`);
});

test('an option that may stand alone takes - for its value, as commander does', () => {
  const options = { ...exec.options, sign: { kind: 'text', optional: true, summary: '' } } as const;
  const { whole } = typedAgain({ ...exec, options }, ['--sign', '-', 'web']);
  expect(whole('--sign KEY')).toBe('docker-tls exec web --sign KEY');
});

test('a host that was not named comes first, and takes the place of a wrong one that is no value of an option', () => {
  const again = typedAgain(exec, ['--socket', 'wbe', 'wbe', '--', 'wbe']);
  expect(again({ host: 'web', instead: 'wbe' })).toBe('docker-tls exec --socket wbe web -- wbe');
  expect(typedAgain(exec, ['--port', '9'])({ host: 'web' })).toBe('docker-tls exec web --port 9');
});

test.each([
  ['--port 0', ['build-1', '--port', '9', '--', 'ls'], 'docker-tls exec build-1 --port 0 -- ls'],
  ['run the same command again', ['build-1', '--', 'a b'], "run again: docker-tls exec build-1 -- 'a b'"],
  ['fix it, then run the same command again', ['b', '--home', '/h'], 'fix it, then run again: docker-tls exec b'],
  ['run the same command again', ['b', '--', "a$'", '$&$$'], "run again: docker-tls exec b -- 'a$'\\''' '$&$$'"],
  ['--no-such option', ['build-1'], '--no-such option'],
  ['docker-tls status', ['build-1'], 'docker-tls status'],
])('the hint "%s" becomes a whole command', (hint, typed, line) => {
  expect(typedAgain(exec, typed).whole(hint)).toBe(line);
});

test('an answer to a question is part of the command, as the option of its flag, and a later one replaces it', async () => {
  const setup = await (COMMANDS.find(({ name }) => name === 'setup') as CommandEntry).load();
  const again = typedAgain(setup, ['-i', 'key']);
  again.answered('HOST', ['wrong']);
  again.answered('HOST', ['root@10.0.0.7']);
  again.answered('--name', ['--name', 'web']);
  again.answered('--san', ['--san', 'a b', '--san', 'c']);
  const whole = "docker-tls setup root@10.0.0.7 --name web --san 'a b' --san c -i key";
  expect(again.whole('fix it, then run the same command again')).toBe(`fix it, then run again: ${whole}`);
  expect(again.whole('--port 2377')).toBe(`${whole} --port 2377`);
  expect(again.whole('--name other')).toBe(`${whole.replace(' --name web', '')} --name other`);
});
