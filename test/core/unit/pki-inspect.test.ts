/** Inspection of certificates and chains. */

import { describe, expect, test } from 'vitest';
import {
  crossSign,
  issueCa,
  issueClient,
  issueClientAuthority,
  issueServer,
} from '../../../src/core/domain/pki/certificate.ts';
import {
  type ChainQuestion,
  type ChainReason,
  inspectCertificate,
  isFrom,
  splitBundle,
  verifyChain,
} from '../../../src/core/domain/pki/inspect.ts';
import { openKey } from '../../../src/core/domain/pki/keys.ts';
import { OID } from '../../../src/core/domain/pki/oids.ts';
import type { OpenAuthority } from '../../../src/core/domain/pki/open-authority.ts';
import { parseCertificate } from '../../../src/core/domain/pki/parse.ts';
import { pemBlocks, pemEncode } from '../../../src/core/domain/pki/pem.ts';
import { keyIdentifier } from '../../../src/core/domain/pki/profiles.ts';
import { parseSan } from '../../../src/core/domain/pki/san.ts';
import { signerFor } from '../../../src/core/domain/pki/signing.ts';
import type { Secret } from '../../../src/core/domain/secret.ts';
import type { DockerTlsError } from '../../../src/errors/errors.ts';
import { cpuMs } from '../../support/cpu-time.ts';
import { forbidden, forge } from '../../support/forbidden.ts';

const DAY_MS = 86_400_000;
const now = new Date('2026-06-01T00:00:00Z');
const sans = ['build-1', '10.0.0.5'].map(parseSan);

function inDays(days: number): Date {
  return new Date(now.getTime() + days * DAY_MS);
}

const ca = await issueCa({ name: 'Test', days: 100, now });
const untrusted = await issueCa({ name: 'Stranger', days: 100, now });
const server = await issueServer({ ca, sans, days: 10, now });
const ann = await issueClientAuthority({ ca, clientName: 'ann', days: 50, now });
const bob = await issueClientAuthority({ ca, clientName: 'bob', days: 50, now });
const annClient = await issueClient({ authority: ann, name: 'ann', days: 10, now });

/** Changes one byte of the certificate's last 8 (its signature). */
function alter(pem: string): string {
  const der = pemBlocks(pem).blocks[0]?.der as Buffer;
  der.writeUInt8(der.readUInt8(der.length - 8) ^ 1, der.length - 8);
  return pemEncode('CERTIFICATE', der);
}

type Case = readonly [what: string, question: Partial<ChainQuestion>, verdict: ChainReason | 'ok'];
const asServer = { leaf: server.cert, anchors: [ca.cert], purpose: 'server', now } as const;
const asClient = { leaf: annClient.cert, anchors: [ca.cert], purpose: 'client', now } as const;

describe('a server', () => {
  test.each<Case>([
    ['of the trusted CA', {}, 'ok'],
    ['with its name', { address: 'BUILD-1.' }, 'ok'],
    ['with its address', { address: '10.0.0.5' }, 'ok'],
    ['with another name', { address: 'build-2' }, 'wrong-name'],
    ['of another CA', { anchors: [untrusted.cert] }, 'unknown-authority'],
    ['of no CA', { anchors: [] }, 'unknown-authority'],
    ['of one among several CAs', { anchors: [untrusted.cert + ca.cert] }, 'ok'],
    ['that is trusted itself', { anchors: [server.leaf] }, 'ok'],
    ['after its end', { now: inDays(11) }, 'expired'],
    ['before its beginning', { now: inDays(-1) }, 'not-yet-valid'],
    ['taken for a client', { purpose: 'client' }, 'wrong-purpose'],
    ['with an altered signature', { leaf: alter(server.leaf) }, 'bad-signature'],
  ])('%s: %s', (_, question, verdict) => {
    const result = verifyChain({ ...asServer, ...question });
    expect(result.ok ? 'ok' : result.reason).toBe(verdict);
  });
});

describe('a client with its own CA', () => {
  test.each<Case>([
    ['where the CA is trusted', {}, 'ok'],
    ['where its own CA alone is trusted', { anchors: [ann.leaf] }, 'ok'],
    ["where only another client's CA is trusted", { anchors: [bob.leaf] }, 'unknown-authority'],
    ['that does not send its own CA', { leaf: annClient.leaf }, 'unknown-authority'],
    ['whose own CA comes apart', { leaf: annClient.leaf, intermediates: [ann.cert] }, 'ok'],
    ['taken for a server', { purpose: 'server' }, 'wrong-purpose'],
  ])('%s: %s', (_, question, verdict) => {
    const result = verifyChain({ ...asClient, ...question });
    expect(result.ok ? 'ok' : result.reason).toBe(verdict);
    if (result.ok) expect(result.chain[0]).toBe(annClient.leaf);
  });

  test("a server certificate made with a client's CA is rejected", async () => {
    const forged = await issueServer({ ca: ann, sans, days: 1, now });
    expect(verifyChain({ ...asServer, leaf: forged.cert })).toMatchObject({
      ok: false,
      reason: 'wrong-purpose',
      subject: inspectCertificate(ann.cert).subject,
    });
  });
});

describe('a chain that does not hold', () => {
  test('because its CA expired, while the leaf did not', async () => {
    const short = await issueCa({ name: 'Short', days: 1, now });
    const long = await issueServer({ ca: { ...short, notAfter: inDays(50) }, sans, days: 40, now });
    expect(verifyChain({ ...asServer, leaf: long.cert, anchors: [short.cert], now: inDays(2) })).toMatchObject({
      reason: 'expired',
      subject: inspectCertificate(short.cert).subject,
    });
  });

  test('because a leaf signed it', async () => {
    const below = await issueServer({ ca: asIssuer(server.leaf, server.key), sans, days: 1, now });
    expect(verifyChain({ ...asServer, leaf: below.leaf + server.leaf })).toMatchObject({ reason: 'not-a-ca' });
  });

  test('because a CA of path length 0 signed a CA', async () => {
    const narrow = await issueCa({ name: 'Narrow', days: 10, now, pathLen: 0 });
    const middle = await issueCa({ name: 'Middle', days: 10, now, issuer: { ...narrow, pathLen: undefined } });
    const leaf = await issueServer({ ca: middle, sans, days: 1, now });
    expect(verifyChain({ ...asServer, leaf: leaf.cert, anchors: [narrow.cert] })).toMatchObject({
      reason: 'path-too-long',
    });
  });

  test('because a new CA took the name of the old, and says so', async () => {
    const twin = { ...untrusted, subject: ca.subject };
    const leaf = await issueServer({ ca: twin, sans, days: 1, now });
    expect(verifyChain({ ...asServer, leaf: leaf.cert })).toMatchObject({
      reason: 'unknown-authority',
      message: expect.stringContaining('another key'),
    });
  });

  test('two CAs that signed each other end the search', async () => {
    const [one, two] = [
      await crossSign({ ca, issuer: untrusted, days: 9, now }),
      await crossSign({ ca: untrusted, issuer: ca, days: 9, now }),
    ];
    expect(
      verifyChain({ ...asServer, leaf: server.leaf, intermediates: [one.leaf, two.leaf], anchors: [] }),
    ).toMatchObject({
      ok: false,
      reason: 'unknown-authority',
    });
    expect(verifyChain({ ...asServer, leaf: server.leaf, intermediates: [one.leaf, two.leaf] })).toMatchObject({
      ok: true,
    });
  });

  /** An issuer made from a leaf, as by an attacker who stole its key. */
  function asIssuer(cert: string, key: Secret): OpenAuthority {
    const { subject, x509 } = parseCertificate(cert);
    const keyId = keyIdentifier(x509.publicKey.export({ type: 'spki', format: 'der' }));
    return { ...ca, subject: subject.der, keyId, key, signer: signerFor(openKey(key)), chain: '' };
  }
});

/** Prediction of dockerd's refusals (test/core/integration/pki-forbidden.test.ts): the same certificates, with the reason. */
describe('a forged client certificate', async () => {
  const today = new Date();
  const root = await issueCa({ name: 'Root', days: 100, now: today });
  const issuing = await issueClientAuthority({ ca: root, clientName: 'ann', days: 50, now: today });
  const accepted = await issueClient({ authority: issuing, name: 'ann.of.test', days: 10, now: today });
  const all = await forbidden({ ca: root, client: issuing, accepted, name: 'ann.of.test', servers: {} });
  const judge = (cert: string) => {
    const result = verifyChain({ leaf: cert, anchors: [root.cert], purpose: 'client', now: today });
    return result.ok ? 'ok' : result.reason;
  };

  test.each(Object.entries(all).flatMap(([what, one]) => (one === undefined ? [] : [[what, one.cert] as const])))(
    '%s',
    (_, cert) => {
      let found: string;
      try {
        found = judge(cert);
      } catch (error) {
        found = (error as DockerTlsError).code;
      }
      expect(found).not.toBe('ok');
    },
  );

  test.each([
    ['expired an hour ago', 'expired'],
    ['for signing code', 'wrong-purpose'],
    ['an unknown critical extension', 'unknown-extension'],
    ['signed with SHA-1', 'weak-signature'],
    ['under two CAs below the issuing CA', 'path-too-long'],
    ['under an issuing CA that is none', 'not-a-ca'],
    ['under an issuing CA that may not sign certificates', 'not-a-ca'],
    ['under an issuing CA that has expired', 'expired'],
    ['under an issuing CA for signing code', 'wrong-purpose'],
    ['under an issuing CA with an unknown critical extension', 'unknown-extension'],
  ] as const)('%s: %s', (what, reason) => {
    expect(judge(all[what].cert)).toBe(reason);
  });

  test('but for any purpose is for ours as well, at the leaf and above it', async () => {
    const any = { purposes: [OID.anyExtendedKeyUsage] };
    const between = await forge('client bob', root, { ca: true, pathLen: 0, ...any });
    expect(judge((await forge('bob', between, any)).cert)).toBe('ok');
  });
});

describe('damage', () => {
  const der = pemBlocks(server.leaf).blocks[0]?.der as Buffer;
  test.each([
    ['nothing', ''],
    ['a key', server.key.revealText()],
    ['an empty sequence', pemEncode('CERTIFICATE', Buffer.from('3000', 'hex'))],
    ['no END line', server.leaf.slice(0, -10)],
    ['cut short', pemEncode('CERTIFICATE', der.subarray(0, -20))],
    ['torn base64', server.leaf.replace(/\n([A-Za-z0-9+/]{60})/, '\n$1!')],
  ])('%s', (_, pem) => {
    expect(() => inspectCertificate(pem)).toThrow(expect.objectContaining({ code: 'E_CERT_DAMAGED', exit: 2 }));
  });

  test('any cut of the DER is an error of ours, never another', () => {
    for (let length = 0; length < der.length; length += 1) {
      expect(() => inspectCertificate(pemEncode('CERTIFICATE', der.subarray(0, length)))).toThrow(
        expect.objectContaining({ code: 'E_CERT_DAMAGED' }),
      );
    }
  });
});

test('a bundle is split into normal PEM, whatever stands around it', () => {
  const messy = `Bag Attributes\n  friendlyName: x\nsubject=CN = x\n${server.leaf.replaceAll('\n', '\r\n')}\n# CA\n${ca.cert.trim()}`;
  expect(splitBundle(messy)).toEqual([server.leaf, ca.leaf]);
  expect(splitBundle('')).toEqual([]);
  expect(() => splitBundle(`${ca.cert}-----BEGIN CERTIFICATE-----\nMAA`)).toThrow(
    expect.objectContaining({ code: 'E_CERT_DAMAGED' }),
  );
});

test('what a certificate says of itself cannot steer a terminal', async () => {
  // Our own functions refuse such a name, so its bytes replace a harmless one of the same length.
  const issued = await issueClient({ authority: ca, name: 'xx[2Jxx', days: 1, now });
  const der = pemBlocks(issued.leaf).blocks[0]?.der as Buffer;
  der.write('x\u001b', der.indexOf('xx[2Jxx'), 'latin1');
  expect(inspectCertificate(pemEncode('CERTIFICATE', der)).subject).toBe('xxx');
});

describe.each(['anchor', 'intermediate'])(
  'with two CAs of one name, a chain is found by the key of its %s',
  (place) => {
    test.each([0, 1])('whichever of them stands first: %i', async (first) => {
      const issuer = await issueCa({ name: 'Root', days: 100, now });
      const twins = await Promise.all(
        [1, 2].map(() => issueCa({ name: 'Twin', days: 50, now, ...(place === 'anchor' ? {} : { issuer }) })),
      );
      const [one, two] = twins.map(({ leaf }) => leaf) as [string, string];
      const both = first === 0 ? [one, two] : [two, one];
      const leaf = (await issueServer({ ca: twins[0] as OpenAuthority, sans, days: 1, now })).leaf;
      const around =
        place === 'anchor' ? { anchors: [both.join('')] } : { anchors: [issuer.cert], intermediates: both };
      expect(verifyChain({ ...asServer, ...around, leaf })).toMatchObject({ ok: true });
      // As in a served file.
      if (place === 'intermediate')
        expect(verifyChain({ ...asServer, anchors: [issuer.cert], leaf: leaf + both.join('') }).ok).toBe(true);
      expect(verifyChain({ ...asServer, ...around, anchors: [ca.cert], leaf }).ok).toBe(false);
    });
  },
);

test('a trust file is parsed once for all clients that are checked against it', async () => {
  const clients = await Promise.all(
    Array.from({ length: 300 }, async (_, index) => {
      const authority = await issueClientAuthority({ ca, clientName: `client-${index}`, days: 50, now });
      const { cert } = await issueClient({ authority, name: `client-${index}`, days: 10, now });
      return { cert, issuer: authority.leaf };
    }),
  );
  const trust = clients.map(({ issuer }) => issuer).join('');
  const checkMs = (some: typeof clients): number =>
    cpuMs(() => {
      for (const { cert } of some) expect(isFrom(cert, trust, 'client', now)).toBe(true);
    });
  const first = checkMs(clients.slice(0, 1));
  // With a parse for each client this was 60.
  expect(checkMs(clients.slice(1)) / first).toBeLessThan(20);
});
