/** Properties: issued certificates can be read back, whatever the names and keys; no input can crash the reader. */

import { createPublicKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { issueCa, issueClient, issueServer } from '../../../src/core/domain/pki/certificate.ts';
import { makeCsr, parseCsr } from '../../../src/core/domain/pki/csr.ts';
import { decode, encode, int } from '../../../src/core/domain/pki/der.ts';
import { inspectCertificate, verifyChain } from '../../../src/core/domain/pki/inspect.ts';
import { generateKey, generatePair, isEncrypted, keyMatches, openKey } from '../../../src/core/domain/pki/keys.ts';
import { pemBlocks, pemEncode } from '../../../src/core/domain/pki/pem.ts';
import { randomSerial } from '../../../src/core/domain/pki/profiles.ts';
import { renewal } from '../../../src/core/domain/pki/renewal.ts';
import {
  covers,
  formatSan,
  ipBytes,
  ipText,
  parseSan,
  proposeSans,
  type San,
  uniqueSans,
} from '../../../src/core/domain/pki/san.ts';
import { Secret } from '../../../src/core/domain/secret.ts';
import { DockerTlsError } from '../../../src/errors/errors.ts';
import { publicKeyOf } from '../../support/public-key.ts';

const now = new Date('2026-06-01T00:00:00Z');
const ca = await issueCa({ name: 'Test', days: 1000, now });

const dnsName = fc
  .array(fc.stringMatching(/^[a-zA-Z0-9_]([a-zA-Z0-9_-]{0,20}[a-zA-Z0-9_])?$/), { minLength: 1, maxLength: 5 })
  .map((labels) => [...labels, 'example'].join('.'));
const sanText = fc.oneof(
  dnsName,
  dnsName.map((name) => `*.${name}`),
  fc.ipV4(),
  fc.ipV6(),
  fc.ipV6().map((address) => `[${address}]`),
);
const sans = fc.array(sanText, { minLength: 1, maxLength: 30 }).map((texts) => uniqueSans(texts.map(parseSan)));

describe('names', () => {
  test('the normal form is read as itself, in either form', () => {
    fc.assert(
      fc.property(sanText, (text) => {
        const name = parseSan(text);
        expect(parseSan(name.value)).toEqual(name);
        expect(parseSan(formatSan(name))).toEqual(name);
      }),
      { numRuns: 1000 },
    );
  });

  test('an address keeps its bytes, and its text is what the URL standard makes of it', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        fc.uint8Array({ minLength: 16, maxLength: 16 }),
        (bytes, mask) => {
          // Many zero bytes, so that runs of zero groups occur.
          const sparse = Buffer.from(bytes.map((byte, at) => ((mask[at] ?? 0) < 160 ? 0 : byte)));
          const text = ipText(sparse) ?? '';
          expect(ipBytes(text)).toEqual(sparse);
          expect(parseSan(text)).toEqual({ kind: 'ip', value: text });
          if (!text.startsWith('::ffff:')) expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`);
        },
      ),
      { numRuns: 1000 },
    );
  });

  test('any text is a name in normal form or E_NAME', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: fc.constantFrom(...'a1.-*:[]/%@ \n') })),
        (text) => {
          let name: San;
          try {
            name = parseSan(text);
          } catch (error) {
            expect(error).toBeInstanceOf(DockerTlsError);
            expect((error as DockerTlsError).code).toBe('E_NAME');
            return;
          }
          expect(name.value).toMatch(name.kind === 'dns' ? /^(\*\.)?[a-z0-9_.-]+$/ : /^[0-9a-f:.]+$/);
          expect(parseSan(name.value)).toEqual(name);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('a proposal answers for what is dialled, and holds nothing twice', () => {
    fc.assert(
      fc.property(
        dnsName,
        fc.string(),
        fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string())),
        (dialled, hostname, addresses) => {
          const names = proposeSans({ dialled, hostname, addresses });
          expect(covers(names, dialled)).toBe(true);
          expect(names).toEqual(uniqueSans(names));
          expect(names[0]).toEqual(parseSan(dialled));
        },
      ),
    );
  });
});

describe('certificates', () => {
  test('any names come back in order, and the chain holds for each', async () => {
    await fc.assert(
      fc.asyncProperty(sans, fc.integer({ min: 1, max: 3000 }), async (names, days) => {
        const issued = await issueServer({ ca, sans: names, days, now });
        const info = inspectCertificate(issued.cert);
        expect(info.sans).toEqual(names);
        expect(info.notAfter.getTime()).toBeLessThanOrEqual(ca.notAfter.getTime());
        expect(issued.clamped).toBe(days > 1000);
        for (const { value } of names.slice(0, 3)) {
          const address = value.replace('*', 'any');
          expect(verifyChain({ leaf: issued.cert, anchors: [ca.cert], purpose: 'server', now, address })).toMatchObject(
            { ok: true },
          );
        }
      }),
      { numRuns: 100 },
    );
  });

  // About 1 in 256 EC points looks like nested ASN.1 to forge; 400 new keys per run include one with a chance of 8 in 10.
  test('400 random EC keys are all certified, asked for, read back and matched', async () => {
    for (let round = 0; round < 400; round += 1) {
      const key = await generateKey('p256');
      const csr = parseCsr(makeCsr({ key, commonName: `client-${round}` }));
      expect(csr.publicKey).toBe(publicKeyOf(key));
      const { cert } = await issueClient({
        authority: ca,
        name: csr.commonName,
        days: 1,
        now,
        publicKey: csr.publicKey,
      });
      expect(keyMatches(cert, key)).toBe(true);
      expect(inspectCertificate(cert)).toMatchObject({ subject: `client-${round}`, keyType: 'p256' });
    }
  });

  test.each(['p256', 'p384'] as const)('the bytes of a %s pair are those that OpenSSL writes', async (type) => {
    for (let round = 0; round < 600; round += 1) {
      const { key, privateKey, spki } = await generatePair(type);
      for (const object of [privateKey(), openKey(key)]) {
        expect(key.revealText()).toBe(object.export({ type: 'pkcs8', format: 'pem' }));
      }
      expect(spki).toEqual(createPublicKey(privateKey()).export({ type: 'spki', format: 'der' }));
    }
  });

  test('serials are 16 bytes, positive, without a leading zero, and never the same', () => {
    const seen = new Set<string>();
    for (let round = 0; round < 5000; round += 1) {
      const serial = randomSerial();
      const value = (decode(encode(int(serial))) as { value: string }).value;
      expect(serial).toHaveLength(16);
      expect(serial[0]).not.toBe(0);
      expect(value.charCodeAt(0)).toBeLessThan(0x80);
      seen.add(serial.toString('hex'));
    }
    expect(seen.size).toBe(5000);
  });

  test('whatever byte of a certificate is another: it is told of, or E_CERT_DAMAGED, and it is never taken for good', async () => {
    const { leaf } = await issueServer({ ca, sans: [parseSan('build-1')], days: 10, now });
    const der = pemBlocks(leaf).blocks[0]?.der as Buffer;
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const altered = Buffer.from(der);
        altered[at] = (altered[at] ?? 0) ^ flip;
        const pem = pemEncode('CERTIFICATE', altered);
        try {
          expect(verifyChain({ leaf: pem, anchors: [ca.cert], purpose: 'server', now })).toMatchObject({ ok: false });
        } catch (error) {
          expect(error).toMatchObject({ code: 'E_CERT_DAMAGED' });
        }
      }),
      { numRuns: 2000 },
    );
  });
});

test('a whole number of any size is DER that reads back', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 160n }), (number) => {
      const hex = number.toString(16);
      const value = decode(encode(int(Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex')))).value as string;
      const bytes = Buffer.from(value, 'latin1');
      expect(BigInt(`0x${bytes.toString('hex')}`)).toBe(number);
      expect((bytes[0] ?? 0) & 0x80).toBe(0);
      if (bytes.length > 1 && bytes[0] === 0) expect((bytes[1] ?? 0) & 0x80).toBe(0x80);
    }),
  );
});

test('any bytes survive PEM, between any text', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.stringMatching(/^[a-z\n -]*$/), (bytes, around) => {
      const { blocks, torn } = pemBlocks(`${around}\n${pemEncode('CERTIFICATE', bytes)}${around}`);
      expect(torn).toBe(false);
      expect(blocks.map(({ der }) => der)).toEqual([Buffer.from(bytes)]);
    }),
  );
});

test('no text crashes the reader of keys', () => {
  const label = fc.constantFrom('PRIVATE KEY', 'ENCRYPTED PRIVATE KEY', 'EC PRIVATE KEY', 'RSA PRIVATE KEY');
  fc.assert(
    fc.property(label, fc.uint8Array({ maxLength: 100 }), (name, bytes) => {
      const pem = new Secret(pemEncode(name, bytes));
      isEncrypted(pem);
      expect(() => openKey(pem, new Secret('x'))).toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^E_KEY_/) }),
      );
    }),
  );
});

test('renewal: due is a suffix of the lifetime, and days left only fall', () => {
  const time = fc.integer({ min: 0, max: 4_000_000_000_000 });
  fc.assert(
    fc.property(time, fc.integer({ min: 1, max: 3650 }), fc.nat(5000), time, time, (begin, days, withinDays, a, b) => {
      const notBefore = new Date(begin);
      const notAfter = new Date(begin + days * 86_400_000);
      const [early, late] = [Math.min(a, b), Math.max(a, b)].map((at) =>
        renewal({ notBefore, notAfter, now: new Date(at), withinDays }),
      );
      const order = ['not-yet-valid', 'ok', 'due', 'expired'];
      expect(order.indexOf(late?.state ?? '')).toBeGreaterThanOrEqual(order.indexOf(early?.state ?? ''));
      expect(late?.daysLeft).toBeLessThanOrEqual(early?.daysLeft ?? 0);
    }),
  );
});
