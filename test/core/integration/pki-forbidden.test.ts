/** Certificates that every host must refuse, over TLS 1.2 and 1.3, on hosts that trust the CA and on hosts with a list of clients. */

import { expect, test } from 'vitest';
import { issueCa, issueClient, issueClientAuthority, issueServer } from '../../../src/core/domain/pki/certificate.ts';
import { parseSan } from '../../../src/core/domain/pki/san.ts';
import { forbidden, tryAll, unchained, unlisted } from '../../support/forbidden.ts';
import { withStrictServer } from '../../support/strict-server.ts';

test('no forbidden certificate is accepted', async () => {
  const now = new Date();
  const sans = [parseSan('127.0.0.1')];
  const ca = await issueCa({ name: 'ours', days: 100, now });
  const client = await issueClientAuthority({ ca, clientName: 'ann', days: 50, now });
  // So long that no other bytes of a certificate are the same by chance.
  const name = 'ann.of.test';
  const accepted = await issueClient({ authority: client, name, days: 20, now });
  const server = await issueServer({ ca, sans, days: 20, now });
  const servers = {
    "the host's own": server,
    "another host's": await issueServer({ ca, sans: [parseSan('build-2')], days: 20, now }),
    "a host's, by a client's issuing CA": await issueServer({ ca: client, sans, days: 20, now }),
  };
  const everywhere = await forbidden({ ca, client, accepted, name, servers });
  let tried = 0;
  for (const [trust, table] of [
    [ca.cert, { ...everywhere, ...(await unchained({ ca, client })) }],
    [client.leaf, { ...everywhere, ...(await unlisted({ ca, client })) }],
  ] as const) {
    await withStrictServer({ server, trust }, async (port) => {
      const found = await tryAll({ host: '127.0.0.1', port, ca: ca.cert }, accepted, table);
      expect(found.gotIn).toEqual([]);
      tried += found.tried;
    });
  }
  expect(tried).toBeGreaterThan(150);
});
