/** A run of `status --watch`. */

import { expect } from 'vitest';
import type { CliSetting, runCli } from '../../../support/cli.ts';

/** Its output is awaited; `stop` ends it. */
export function watching(
  argv: readonly string[],
  run: (argv: readonly string[], setting: CliSetting) => ReturnType<typeof runCli>,
) {
  const stop = new AbortController();
  let shown = '';
  const io = {
    out(text: string) {
      shown += text;
    },
  };
  const ended = run(['status', '--offline', '--watch', ...argv], { signal: stop.signal, io });
  return {
    async until(words: RegExp) {
      for (let attempt = 0; attempt < 5000 && !words.test(shown); attempt++)
        await new Promise((resolve) => setTimeout(resolve, 20));
      expect(shown).toMatch(words);
    },
    async stop() {
      stop.abort();
      expect((await ended).exit).toBe(130);
    },
  };
}
