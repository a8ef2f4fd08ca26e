/** Replacement of wrong or badly protected credentials on a host: other users may have read an open file. */

import { expect, test } from 'vitest';
import { planHost } from '../../../src/core/domain/plan/plan-host.ts';
import { certificateIds } from '../../../src/core/domain/trust/ca-id.ts';
import { desired, factsOf } from '../../support/host-facts.ts';
import { CREDENTIALS } from '../../support/store-credentials.ts';

const [CA, CERT, OTHER] = CREDENTIALS.map(({ cert }) => cert) as [string, string, string];
const CURRENT = '/etc/docker/tls/current';
const STATE = { schema: 1, name: 'h1', generation: 1, generations: [], managed: [] };

type OnHost = { readonly key?: string; readonly directory?: string; readonly cert?: string; readonly ca?: string };

function reason({ key = 'f 400 0:0', directory = 'd 700 0:0', cert = CERT, ca = CA }: OnHost): string | undefined {
  const facts = factsOf({
    [`file:${CURRENT}`]: 'link 777 0:0\n1',
    [`file:${CURRENT}/ca.pem`]: `file 444 0:0\n${ca}`,
    [`file:${CURRENT}/server-cert.pem`]: `file 444 0:0\n${cert}`,
    'file:/var/lib/docker-tls/state.json': `file 600 0:0\n${JSON.stringify(STATE)}`,
    modes: `${key}\0${CURRENT}/server-key.pem\0${directory}\0/etc/docker/tls/1\0`,
  });
  const certificate = { keep: certificateIds(CERT) };
  return planHost(facts, { ...desired, credentials: { trust: certificateIds(CA), certificate, key: 'send' } })
    .credentials?.reason;
}

test.each<[string, OnHost, string | undefined]>([
  ['as they should be', {}, undefined],
  ['a key that others may read', { key: 'f 444 0:0' }, "the key on the host is not root's alone"],
  ['a key of another user', { key: 'f 400 1000:0' }, "the key on the host is not root's alone"],
  ['a directory that others may enter', { directory: 'd 755 0:0' }, 'the directory of the key is open to others'],
  ['another certificate', { cert: OTHER }, 'a new server certificate'],
  ['another chain', { cert: CERT + OTHER }, 'another chain of the server certificate'],
  ['another trust file', { ca: CA + OTHER }, 'the accepted clients change'],
])('%s', (_, onHost, why) => {
  expect(reason(onHost)).toBe(why);
});
