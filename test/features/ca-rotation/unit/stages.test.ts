/** Progress of a CA rotation: hosts and clients that a stage still waits for. */

import { afterAll, expect, test } from 'vitest';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import {
  issueCa,
  issueClient,
  issueClientAuthority,
  issueServer,
} from '../../../../src/core/domain/pki/certificate.ts';
import { parseSan } from '../../../../src/core/domain/pki/san.ts';
import { CA_DEFAULTS } from '../../../../src/core/domain/settings.ts';
import { beginning, droppable, issuing } from '../../../../src/features/ca-rotation/domain/intents.ts';
import { type RotationInput, rotationStage } from '../../../../src/features/ca-rotation/domain/stage.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

afterAll(removeHomes);

const now = new Date('2026-06-01T00:00:00Z');
const long = { now, days: 100 };
const ca = await issueCa({ name: 'new', ...long });
const old = await issueCa({ name: 'old', ...long });
const expired = await issueCa({ name: 'over', now: new Date('2026-01-01T00:00:00Z'), days: 10 });

async function clientOf(authority: typeof ca): Promise<string> {
  const own = await issueClientAuthority({ ca: authority, clientName: 'eve', ...long });
  return (await issueClient({ authority: own, name: 'eve', keyType: 'p256', ...long })).cert;
}
const server = (await issueServer({ ca, sans: [parseSan('h')], keyType: 'p256', ...long })).cert;
const eve = { name: 'eve', cert: await clientOf(old), revoked: false };
const host = { name: 'h', trust: ca.cert, outdated: false, wanted: [], serverCert: server };

test.each<[string, Partial<RotationInput>, ReturnType<typeof rotationStage>]>([
  ['everything is issued', {}, { stage: 'drop', hosts: ['h'], clients: [] }],
  [
    'a host has not heard of the new CA',
    { hosts: [{ ...host, outdated: true }] },
    { stage: 'accept', hosts: ['h'], clients: [] },
  ],
  [
    'no client can be accepted under the old CA any longer: old and new change at once',
    { oldCas: [expired.cert], hosts: [{ ...host, outdated: true }] },
    { stage: 'issue', hosts: ['h'], clients: [] },
  ],
  ['a client has credentials of the old CA', { clients: [eve] }, { stage: 'issue', hosts: [], clients: ['eve'] }],
  [
    'a revoked client is not waited for',
    { clients: [{ ...eve, revoked: true }] },
    { stage: 'drop', hosts: ['h'], clients: [] },
  ],
])('%s', (_, more, stage) => {
  expect(rotationStage({ ca: ca.cert, oldCas: [old.cert], hosts: [host], clients: [], now, ...more })).toEqual(stage);
});

test('stage 1 changes hosts by what the new CA will be; stage 2 waits where nothing signs across; an old CA that is needed stays', async () => {
  const home = newHome();
  await issueStore(home, { now, hosts: { h: {} }, clients: { eve: undefined } });
  const state = await openStore(home).read();
  const rotation = { ca: CA_DEFAULTS, flags: { ssh: {} }, lostPassphrase: false, rejectOtherClients: false };
  const begun = beginning({ ...rotation, noOverlap: false }).want(state, now);
  expect(begun.hosts.map(({ spec }) => spec.name)).toEqual(['h']);
  expect(begun.credentials.map(({ kind }) => kind)).toEqual(['replace-ca', 'issuing-ca']);

  const after = {
    ...state,
    ca: { ...state.ca, cert: ca.cert },
    oldCas: [{ cert: state.ca?.cert, serial: '1' }],
  } as typeof state;
  const second = issuing({ ...rotation, noOverlap: false }, false).want(after, now);
  expect([second.hosts, second.leftOut?.map(({ code }) => code)]).toEqual([[], ['E_BREAKS_CLIENTS']]);
  expect(issuing({ ...rotation, noOverlap: true }, false).want(after, now).hosts).toHaveLength(1);
  expect(() => droppable(after, now)).toThrow(expect.toSay('old-ca-still-needed', 'eve'));
  expect(droppable(state, now).stage).toBe('none');
});
