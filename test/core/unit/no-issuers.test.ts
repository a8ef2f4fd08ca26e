/** A build that cannot ask an external CA: refused with the plan, before anything is signed. */

import { afterEach, beforeEach, expect, test } from 'vitest';
import { issueCa } from '../../../src/core/domain/pki/certificate.ts';
import { Secret } from '../../../src/core/domain/secret.ts';
import type { CredentialChange } from '../../../src/core/domain/trust/changes.ts';
import type { ChangeContext } from '../../../src/core/engine/intent.ts';
import { showSigner } from '../../../src/core/engine/steps/approve.ts';
import { ISSUERS, loadIssuers } from '../../../src/core/seams/issuers.ts';

const seam = ISSUERS.all as (typeof ISSUERS.all)[number][];
const before = [...seam];
beforeEach(() => {
  seam.length = 0;
});
afterEach(() => {
  seam.push(...before);
});

const { leaf: cert } = await issueCa({ name: 'ca', days: 9, now: new Date() });
const ca = { name: 'ca', keyType: 'p256', days: 9, createdAt: '' } as const;
const [here, external, token] = [
  { cert, keyPem: new Secret('x'), record: ca },
  { cert, record: { ...ca, external: { kind: 'command', command: 'sign' } } },
  { cert, record: { ...ca, token: { uri: 'pkcs11:object=ca' } } },
] as const;
const client = { kind: 'issuing-ca', client: 'ann', keyType: 'p256' } as const;
const replaced = { kind: 'replace-ca', ca, lost: false } as const;

const planned = (state: object, ...credentials: CredentialChange[]) =>
  showSigner({
    ...{ state: { oldCas: [], ...state }, wanted: { credentials }, hosts: [] },
    run: { store: { accepts: async () => true } },
  } as unknown as ChangeContext);

test.each([
  ['its CA is external', { ca: external }, client],
  ['the key of its CA is in a token', { ca: token }, client],
  ['an earlier CA with its key in a token vouches for the present one', { ca: here, oldCas: [token] }, client],
  ['a CA with its key in a token vouches for the one that replaces it', { ca: token }, replaced],
])('a store is refused where %s', async (_, state, change) => {
  await expect(planned(state, change)).rejects.toMatchObject({ code: 'E_CA_KEY_EXTERNAL', exit: 2 });
});

test.each([
  ['its key is in the store', { ca: here }, client],
  ['nothing is signed', { ca: token }, { kind: 'drop-old-cas' } as const],
  ['a CA of its own replaces an external one', { ca: external }, replaced],
])('and not where %s', async (_, state, change) => {
  expect(await planned(state, change)).toBeUndefined();
});

test('nor does anything else sign', async () => {
  await expect(loadIssuers()).rejects.toMatchObject({ code: 'E_CA_KEY_EXTERNAL' });
});
