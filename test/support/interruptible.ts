/** A program for the signal tests: main() with one command that holds a resource, and releases it when stopped, or refuses to. */

import { setTimeout as wait } from 'node:timers/promises';
import { defineCommand } from '../../src/cli/command.ts';
import { main } from '../../src/cli/main.ts';

const hold = defineCommand({
  scope: ['fleet', 'hosts', 'changes', 'plans', 'store'],
  args: {},
  options: {
    stubborn: { kind: 'flag', summary: 'do not stop' },
    stray: { kind: 'flag', summary: 'throw where nothing waits' },
  },
  async run({ options, runtime, progress }) {
    progress.host('build-1').phase('restart the daemon');
    if (options.stray) setTimeout(() => Promise.reject(new Error('not caught')), 10);
    const stopped = wait(60_000, undefined, options.stubborn ? {} : { signal: runtime.signal });
    try {
      await stopped;
    } finally {
      progress.note('restored');
    }
    return { exit: 0, result: {}, text: 'never' };
  },
});

const about = { name: 'hold', summary: 'Hold something until stopped' };
const exit = await main(process.argv.slice(2), {}, [{ ...about, load: async () => ({ ...about, ...hold }) }]);
process.exit(exit);
