/** `-f FILE`: which commands take it, and how hints name the fleet file beside a flag. */

import { expect, test } from 'vitest';
import { COMMANDS } from '../../../../src/cli/commands.ts';
import { renderCommand } from '../../../../src/cli/help.ts';
import { parseOptions } from '../../../../src/cli/options.ts';
import { orIn } from '../../../../src/core/seams/setting-places.ts';

const around = { env: { HOME: '/home/u' }, cwd: '/work' };

test('-f is refused by exactly those commands that read no fleet file', async () => {
  for (const { name, load } of COMMANDS) {
    const command = await load();
    const help = renderCommand('docker-tls', command, 80);
    if (command.scope.includes('fleet')) {
      expect(help, name).toContain('--file');
      continue;
    }
    const refusal = expect.objectContaining({ message: expect.toSay('reads-no-fleet-file', name, '--file') });
    for (const argv of [['-f', 'fleet.yaml'], ['--file=fleet.yaml']])
      expect(() => parseOptions(command, argv, around)).toThrow(refusal);
    expect(help).not.toContain('--file');
  }
});

test('a hint for a flag names the key of the fleet file too', () => {
  expect(`--port N${orIn('port: N')}`).toSay('flag-or-key', '--port N', 'port: N');
});
