/** Secrets of a schedule: variables of a fleet file, and the passphrase that it cannot ask for. */

import { expect, test } from 'vitest';
import { Secret } from '../../../../src/core/domain/secret.ts';
import { environmentOf } from '../../../../src/features/tools/domain/schedule-ci.ts';
import { missingPassphrase } from '../../../../src/features/tools/domain/schedule-jobs.ts';
import { sampleCa } from '../../../support/store.ts';

test('variables that a fleet file takes secrets from, each once', () => {
  expect(environmentOf([undefined, 'env:A', 'file:B', 'prompt', 'env:A', 'env:C'])).toEqual(['A', 'C']);
});

test('a schedule that could not open the key of the CA says so', () => {
  const locked = '-----BEGIN ENCRYPTED PRIVATE KEY-----\nAA==\n-----END ENCRYPTED PRIVATE KEY-----\n';
  const ca = sampleCa(1);
  const of = (text: string | undefined, reference?: string) => {
    const key = text === undefined ? ca.keyPem : new Secret(text);
    return missingPassphrase({ ca: { ...ca, keyPem: key }, issuers: new Map() }, reference, 'cron');
  };
  expect(of(undefined)).toEqual([]);
  expect(of(locked)).toEqual([expect.stringContaining('docker-tls schedule --form cron --ca-passphrase-file FILE')]);
  expect(of(locked, 'prompt')).toHaveLength(1);
  expect([...of(locked, 'env:X'), ...of(locked, 'file:x')]).toEqual([]);
});
