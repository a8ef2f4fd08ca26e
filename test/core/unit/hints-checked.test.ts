/** The check of hints that every run inside a test has (test/support/hints.ts). */

import { expect, test } from 'vitest';
import { commandsIn, requireHints } from '../../support/hints.ts';

test.each<[hint: string, commands: string[][]]>([
  ['docker-tls status', [['status']]],
  ['sudo docker-tls setup local', [['setup', 'local']]],
  [
    "or: docker-tls --home '/a b' client add ci --hosts web  # then",
    [['--home', '/a b', 'client', 'add', 'ci', '--hosts', 'web']],
  ],
  ['eval "$(docker-tls env web)"', [['env', 'web']]],
  ['docker-tls plan, then docker-tls apply web', [['plan'], ['apply', 'web']]],
  ['docker-tls audit web --json > report.json', [['audit', 'web', '--json']]],
  ['see /etc/docker-tls status', []],
])('%s', (hint, commands) => {
  expect(commandsIn(hint)).toEqual(commands);
});

test.each([
  'docker-tls setup … --port 2377',
  'docker-tls status --port 2377',
  'docker-tls client revoke',
  'docker-tls client',
  'docker-tls rotate web',
])('%s is refused', async (hint) => {
  await expect(requireHints({ out: '', err: `error[E_USAGE]: no\n  hint: ${hint}\n` })).rejects.toThrow('refused');
  const out = JSON.stringify({ schema: 1, error: { code: 'E_USAGE', hints: [hint] } });
  await expect(requireHints({ out, err: '' })).rejects.toThrow('refused');
});

test('commands that docker-tls takes are right, also on several lines', async () => {
  const hints = [
    'docker-tls client revoke ci',
    'docker-tls client --help',
    'then: docker-tls audit web\n        --json',
  ];
  await requireHints({ out: '', err: hints.map((hint) => `  hint: ${hint}\n`).join('') });
});
