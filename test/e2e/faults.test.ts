/** The fault suite in its short form: a representative dozen. `scripts/faults` has all of it. */

import { expect, test } from 'vitest';
import { resultLine, strikeHosts } from '../support/fault-run.ts';
import type { Fault } from '../support/faults.ts';
import type { Suite } from '../support/lab.ts';

const lists: { suite: Suite; faults: Fault[] }[] = [
  {
    suite: 'bookworm',
    faults: [
      { step: 'protect', death: 'reboot', base: 'first' },
      { step: 'restart', death: 'sshd killed', base: 'first' },
      { step: 'commit', death: 'network cut', base: 'later' },
      { step: 'undo', death: 'daemon fails', base: 'later' },
    ],
  },
  {
    suite: 'trixie',
    faults: [
      { step: 'restart', death: 'daemon fails', base: 'first' },
      { step: 'switch', death: 'controller killed', base: 'first' },
      { step: 'arm', death: 'reboot', base: 'later' },
      { step: 'stage', death: 'disk full', base: 'later' },
    ],
  },
  {
    suite: 'sid',
    faults: [
      { step: 'kept', death: 'reboot', base: 'first' },
      { step: 'verify', death: 'Ctrl-C', base: 'later' },
      { step: 'keep', death: 'network cut', base: 'later' },
      { step: 'commit', death: 'disk full', base: 'first' },
    ],
  },
];

test('whatever dies, at whatever step: the host is exactly old or exactly new, and a further run succeeds', async () => {
  const results = await strikeHosts(
    lists.map(({ suite, faults }) => ({ name: `flt-short-${suite}`, suite, faults })),
    (result) => console.log(resultLine(result)),
  );
  const sound = results.filter(({ wrong }) => wrong.length === 0);
  console.log(`${results.length} faults, ${sound.length} sound`);
  expect(results.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(results).toHaveLength(12);
}, 900_000);
