/** `doctor` for hosts without a port in the network: nothing is claimed that was not looked at. */

import { afterAll, expect, test } from 'vitest';
import { removeHomes } from '../../../support/store.ts';
import { LISTENING, noPortPlace, outputs } from '../../haproxy/support/no-port.ts';

afterAll(removeHomes);

test.each([
  [
    'by its command line',
    { [LISTENING]: 'file 644 0:0\n[Service]\nExecStart=/usr/sbin/dockerd -H fd:// -H tcp://0.0.0.0:2375\n' },
  ],
  ['whoever listens', { listeners: 'LISTEN 0 4096 *:2376 *:* users:(("systemd",pid=1,fd=9))' }],
])('doctor says that no port is open only if none is: %s', async (_, facts) => {
  const place = await noPortPlace();
  const shut = await place.run(['doctor', 'h1'], {}, { outputs });
  expect([shut.exit, shut.json.result.cause], shut.out).toEqual([0, 'none']);
  const open = await place.run(['doctor', 'h1'], {}, { outputs, facts });
  expect([open.exit, open.json.result.cause], open.out).toEqual([7, 'other']);
});

test.each<[string, Parameters<typeof noPortPlace>[0], unknown[]]>([
  ['without a socket', { sockets: [] }, [7, 'daemon-not-answering']],
  ['without the code of its listener', { listener: 'dockerd' }, [4, 'E_NO_LISTENER']],
])('%s nothing is verified, and that is no success', async (_, record, found) => {
  const place = await noPortPlace(record);
  const { exit, json, out } = await place.run(['doctor', 'h1'], {}, { outputs });
  expect([exit, json.error?.code ?? json.result.cause], out).toEqual(found);
});
