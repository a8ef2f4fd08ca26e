/** Server certificates that are replaced, and the reasons. */

import { afterAll, expect, test } from 'vitest';
import { inspectCertificate } from '../../../src/core/domain/pki/inspect.ts';
import { parseSan } from '../../../src/core/domain/pki/san.ts';
import { reasonToIssue } from '../../../src/core/domain/trust/server.ts';
import { CertificateFactory, type IssueOptions } from '../../support/certificate-factory.ts';

const factory = new CertificateFactory();
afterAll(() => factory.remove());

const now = new Date();
const ca = factory.issue('ca', { ca: true });
const other = factory.issue('other', { ca: true });
const san = 'DNS:h1';

test.each<[string, IssueOptions, string | undefined]>([
  ['for servers alone', { by: ca, san, usage: 'serverAuth' }, undefined],
  ['for servers and clients', { by: ca, san, usage: 'serverAuth,clientAuth' }, 'it opens hosts as a client too'],
  ['for any purpose', { by: ca, san, usage: 'anyExtendedKeyUsage' }, 'it opens hosts as a client too'],
  ['for anything', { by: ca, san }, 'it opens hosts as a client too'],
  ['of another CA', { by: other, san, usage: 'serverAuth' }, 'it is not from a CA that is trusted now'],
  ['without the name', { by: ca, san: 'DNS:h2', usage: 'serverAuth' }, 'it lacks h1'],
  ['with another name', { by: ca, san: 'DNS:h1,DNS:h2', usage: 'serverAuth' }, 'it still has h2'],
  ['two thirds through', { by: ca, san, usage: 'serverAuth', from: -21, to: 9 }, 'two thirds of its lifetime are over'],
  ['expired', { by: ca, san, usage: 'serverAuth', from: -21, to: -1 }, 'it is expired'],
])('%s', (_, options, reason) => {
  const { cert } = factory.issue('h1', options);
  const { keyType } = inspectCertificate(cert);
  expect(keyType).toBe('p256');
  expect(reasonToIssue(cert, { keyType: 'p256', days: 397 }, [parseSan('h1')], { cas: ca.cert, now })).toBe(reason);
});
