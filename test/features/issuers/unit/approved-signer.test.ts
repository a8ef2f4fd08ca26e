/** Approval of signer settings from a store before anything signs, and notes about certificates that a CA shortened. */

import { expect, test } from 'vitest';
import type { ExternalCa } from '../../../../src/core/domain/external-ca.ts';
import { issueCa, issueServer } from '../../../../src/core/domain/pki/certificate.ts';
import { parseSan } from '../../../../src/core/domain/pki/san.ts';
import type { SignRequest } from '../../../../src/core/runtime.ts';
import { signerFor } from '../../../../src/features/issuers/engine/approved-signer.ts';
import { NO_PASSPHRASE } from '../../../support/issued-store.ts';

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
  const pin = sign as never;
  const runtime = { sign, signByToken: sign as never };
  const signer = signerFor({ runtime, approve, passphrase: { ...NO_PASSPHRASE, pin } });
  await expect(signer.sign(ca, request(10))).rejects.toThrow('no');
  await expect(signer.open(root.cert, { uri: 'pkcs11:object=ca' })).rejects.toThrow('no');
  await expect(signer.unlock({ uri: 'pkcs11:object=ca' })).rejects.toThrow('no');
  expect(asked).toEqual([]);
  // Settings from this run's own files need no approval.
  const token = { uri: 'pkcs11:object=ca', module: '/usr/lib/here.so' };
  const ran = { ...runtime, sign: async () => certOf(10) };
  const own = signerFor({
    runtime: ran,
    approve,
    signer: { external: ca, token },
    passphrase: { ...NO_PASSPHRASE, pin },
  });
  await own.sign(ca, request(10));
  await own.unlock({ uri: token.uri, module: '/tmp/evil.so' });
  expect(asked).toEqual([[token]]);
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
  const runtime = { sign, signByToken: async () => Buffer.alloc(0) };
  const approve = async () => {};
  const signer = signerFor({ runtime, passphrase: NO_PASSPHRASE, approve, note: (text) => notes.push(text) });
  await signer.sign(ca, request(days));
  expect(notes).toEqual(said ? [expect.toSay('certificate-until-not-requested', 'web')] : []);
});
