/** The fault suite in its short form: some of each kind. `scripts/faults` has all of it. */

import { expect, test } from 'vitest';
import { resultLine, strikeHosts } from '../support/fault-run.ts';
import type { Fault, Listener } from '../support/faults.ts';
import type { Suite } from '../support/lab.ts';

const lists: { suite: Suite; listener?: Listener; faults: Fault[] }[] = [
  {
    suite: 'bookworm',
    faults: [
      { step: 'protect', death: 'reboot', change: 'first setup' },
      { step: 'restart', death: 'sshd killed', change: 'remove' },
      { step: 'commit', death: 'network cut', change: 'setup' },
      { step: 'undo', death: 'daemon fails', change: 'rollback' },
    ],
  },
  {
    suite: 'trixie',
    faults: [
      { step: 'restart', death: 'daemon fails', change: 'first setup' },
      { step: 'switch', death: 'controller killed', change: 'remove' },
      { step: 'restart', death: 'reboot', change: 'remove' },
      { step: 'stage', death: 'disk full', change: 'setup' },
    ],
  },
  {
    suite: 'sid',
    faults: [
      { step: 'kept', death: 'reboot', change: 'remove' },
      { step: 'verify', death: 'Ctrl-C', change: 'rollback' },
      { step: 'keep', death: 'network cut', change: 'rotate' },
      { step: 'commit', death: 'disk full', change: 'first setup' },
    ],
  },
  {
    suite: 'trixie',
    listener: 'haproxy',
    faults: [
      { step: 'restart', death: 'daemon fails', change: 'first setup' },
      { step: 'switch', death: 'controller killed', change: 'to dockerd' },
      { step: 'kept', death: 'reboot', change: 'role' },
    ],
  },
];

test('whatever dies, at whatever step: the host is exactly old or exactly new, and a further run succeeds', async () => {
  const results = await strikeHosts(
    lists.map(({ listener = 'dockerd', ...list }) => ({
      ...{ ...list, listener },
      name: `flt-short-${listener === 'haproxy' ? 'hap' : list.suite}`,
    })),
    (result) => console.log(resultLine(result)),
  );
  const sound = results.filter(({ wrong }) => wrong.length === 0);
  console.log(`${results.length} faults, ${sound.length} sound`);
  expect(results.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(results).toHaveLength(15);
}, 900_000);
