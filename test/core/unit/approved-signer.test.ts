/** Approval of signer settings from a store before anything signs, and notes about certificates that a CA shortened. */

import { expect, test } from 'vitest';
import type { ExternalCa } from '../../../src/core/domain/external-ca.ts';
import { issueCa, issueServer } from '../../../src/core/domain/pki/certificate.ts';
import { parseSan } from '../../../src/core/domain/pki/san.ts';
import { approvedSigner } from '../../../src/core/engine/approved-signer.ts';
import type { SignRequest } from '../../../src/core/runtime.ts';

const now = new Date();
const ca: ExternalCa = { kind: 'command', command: 'sign' };
const root = await issueCa({ name: 'root', days: 400, now });
const request = (days: number): SignRequest => ({
  ...{ profile: 'server', name: 'web', commonName: 'web', days, sans: [], csr: '', ca: root.cert, now },
});
const certOf = async (days: number) => (await issueServer({ ca: root, sans: [parseSan('web')], days, now })).leaf;

test('a refusal comes before the CA is asked, or a module is loaded', async () => {
  const asked: unknown[] = [];
  const sign = async (...call: unknown[]) => `${asked.push(call)}`;
  const approve = async () => {
    throw new Error('no');
  };
  const signer = approvedSigner({ sign }, { approve });
  await expect(signer.sign(ca, request(10))).rejects.toThrow('no');
  await expect(signer.token({ uri: 'pkcs11:object=ca' })).rejects.toThrow('no');
  expect(asked).toEqual([]);
  // Settings from this run's own files need no approval.
  const token = { uri: 'pkcs11:object=ca', module: '/usr/lib/here.so' };
  const own = approvedSigner({ sign: async () => certOf(10) }, { approve, signer: { external: ca, token } });
  await own.sign(ca, request(10));
  expect(await own.token({ uri: token.uri, module: '/tmp/evil.so' })).toBe(token);
});

test.each([
  [90, 90, false],
  [90, 88, false],
  [90, 30, true],
  [4, 1, true],
  // The CA's own end is expected.
  [900, 399, false],
])('of %i days %i were given: said is %s', async (days, given, said) => {
  const notes: string[] = [];
  const sign = async () => certOf(given);
  const signer = approvedSigner({ sign }, { approve: async () => {}, note: (text) => notes.push(text) });
  await signer.sign(ca, request(days));
  expect(notes).toEqual(said ? [expect.toSay('certificate-until-not-requested', 'web')] : []);
});
