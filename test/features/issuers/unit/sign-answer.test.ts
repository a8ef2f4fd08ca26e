/** Allowed answers of an external CA: each decision on a certificate. */

import { describe, expect, test } from 'vitest';
import { issueCa, issueClient, issueServer } from '../../../../src/core/domain/pki/certificate.ts';
import { makeCsr, parseCsr } from '../../../../src/core/domain/pki/csr.ts';
import { inspectCertificate } from '../../../../src/core/domain/pki/inspect.ts';
import { generateKey } from '../../../../src/core/domain/pki/keys.ts';
import { OID } from '../../../../src/core/domain/pki/oids.ts';
import { parseSan } from '../../../../src/core/domain/pki/san.ts';
import type { SignRequest } from '../../../../src/core/runtime.ts';
import { checkSigned } from '../../../../src/features/issuers/adapters/answer.ts';
import { forge } from '../../../support/forbidden.ts';

const now = new Date();
const DAY_MS = 86_400_000;
const CODE = '1.3.6.1.5.5.7.3.3';
const sans = ['web', '10.0.0.5'].map(parseSan);
const key = await generateKey('p256');
const csr = makeCsr({ key, commonName: 'web', sans });
const { publicKey } = parseCsr(csr);
const root = await issueCa({ name: 'root', days: 100, now });
const middle = await issueCa({ name: 'middle', days: 50, now, issuer: root });
const other = await issueCa({ name: 'other', days: 100, now });
const leaf = (await issueServer({ ca: root, sans, days: 10, now, publicKey })).leaf;
const below = (await issueServer({ ca: middle, sans, days: 10, now, publicKey })).leaf;
const request: SignRequest = {
  profile: 'server',
  name: 'web',
  commonName: 'web',
  days: 10,
  sans,
  csr,
  ca: root.cert,
  now,
};

describe('a good certificate', () => {
  test.each([
    ['alone', leaf, leaf],
    ['between other lines', `signing…\n${leaf}done\n`, leaf],
    ['with its root, which every client has', leaf + root.cert, leaf],
    ['behind its root', root.cert + leaf, leaf],
    ['with its chain', below + middle.leaf, below + middle.leaf],
    ['behind its chain', root.cert + middle.leaf + below, below + middle.leaf],
  ])('%s', (_, printed, cert) => {
    expect(checkSigned(printed, request)).toBe(cert);
  });

  test('that begins when the clock of the CA is minutes ahead, and not hours', async () => {
    const backdated = now.getTime() - inspectCertificate(leaf).notBefore.getTime();
    const beginning = async (minutes: number) => {
      const signed = new Date(now.getTime() + backdated + minutes * 60_000);
      return (await issueServer({ ca: root, sans, days: 10, now: signed, publicKey })).leaf;
    };
    const soon = await beginning(4);
    expect(checkSigned(soon, request)).toBe(soon);
    const late = await beginning(6);
    expect(() => checkSigned(late, request)).toThrow(/valid only from/);
  });
});

/** A certificate for a new key, and the request for that key. */
async function forged(by: Parameters<typeof forge>[1], flaw: Parameters<typeof forge>[2], called = 'web') {
  const one = await forge(called, by, flaw);
  return { printed: one.cert, request: { ...request, sans: [], csr: makeCsr({ key: one.key, commonName: 'web' }) } };
}

describe('a certificate is refused', async () => {
  const serverAuth = [OID.serverAuth];
  const long = { ...root, notAfter: new Date(now.getTime() + 900 * DAY_MS) };
  test.each<[string, { printed: string; request?: SignRequest }, unknown]>([
    [
      'for another key',
      { printed: (await issueServer({ ca: root, sans, days: 10, now })).leaf },
      expect.stringMatching(/another key/),
    ],
    ['of none', { printed: 'done\n' }, expect.toSay('gave-no-certificate')],
    ['of a CA', await forged(root, { ca: true, purposes: serverAuth }), expect.toSay('certificate-ca')],
    [
      'of another CA',
      { printed: (await issueServer({ ca: other, sans, days: 10, now, publicKey })).leaf },
      expect.stringMatching(/does not hold/),
    ],
    ['whose chain is missing', { printed: below }, expect.stringMatching(/does not hold/)],
    [
      'that outlives its CA',
      { printed: (await issueServer({ ca: long, sans, days: 200, now, publicKey })).leaf },
      expect.stringMatching(/after its CA/),
    ],
    ['for clients', await forged(root, {}), expect.stringMatching(/it is for clientAuth/)],
    [
      'for clients as well',
      await forged(root, { purposes: [...serverAuth, OID.clientAuth] }),
      expect.stringMatching(/good for clients/),
    ],
    [
      'for any purpose',
      await forged(root, { purposes: [OID.anyExtendedKeyUsage] }),
      expect.stringMatching(/good for clients/),
    ],
    [
      'that may not sign',
      await forged(root, { purposes: serverAuth, usage: [2] }),
      expect.stringMatching(/may not sign/),
    ],
    [
      'that may sign certificates',
      await forged(root, { purposes: serverAuth, usage: [0, 5] }),
      expect.toSay('keycertsign-but-not-ca'),
    ],
    [
      'that may sign CRLs',
      await forged(root, { purposes: serverAuth, usage: [0, 6] }),
      expect.toSay('crlsign-but-not-ca'),
    ],
    [
      'for code as well',
      await forged(root, { purposes: [...serverAuth, CODE] }),
      expect.toSay('good-well-serverauth-alone'),
    ],
    ['that ends within the hour', await forged(root, { purposes: serverAuth, to: 1 / 48 }), expect.toSay('less-hour')],
    ...(await Promise.all(
      (
        [
          'DNS:web,DNS:evil.test',
          'DNS:web,IP:10.0.0.6',
          'DNS:web,URI:spiffe://evil',
          'DNS:web,email:root@evil',
        ] as const
      ).map(
        async (names) =>
          [
            `with a name that nobody asked for (${names})`,
            await forged(root, { purposes: serverAuth, names }),
            expect.toSay(
              'names-not-requested',
              /evil\.test|10\.0\.0\.6|spiffe:\/\/evil|root@evil/.exec(names)?.[0] ?? '',
            ),
          ] as [string, { printed: string; request: SignRequest }, unknown],
      ),
    )),
    [
      'called as nobody asked for',
      await forged(root, { purposes: serverAuth }, 'evil.test'),
      expect.toSay('names-not-requested-evil'),
    ],
    [
      'without a name that was asked for',
      { printed: leaf, request: { ...request, sans: [...sans, parseSan('web.test')] } },
      expect.stringMatching(/lacks web\.test/),
    ],
    [
      'for servers, of a client',
      { printed: leaf, request: { ...request, profile: 'client', sans: undefined } },
      expect.stringMatching(/it is for serverAuth/),
    ],
  ])('%s', (_, { printed, request: asked = request }, message) => {
    expect(() => checkSigned(printed, asked)).toThrow(expect.objectContaining({ code: 'E_SIGN_ANSWER', message }));
  });
});

describe('an issuing CA of a client', async () => {
  const name = 'docker-tls client web';
  const clientAuth = [OID.clientAuth];
  const signs = { ca: true, pathLen: 0, purposes: clientAuth } as const;
  const issuing = async (by: Parameters<typeof forge>[1], flaw: Parameters<typeof forge>[2], called = name) => {
    const one = await forge(called, by, flaw);
    const asked = { profile: 'issuer', sans: undefined, commonName: name } as const;
    return { printed: one.cert, asked: { ...request, ...asked, csr: makeCsr({ key: one.key, commonName: name }) } };
  };

  test('for clients alone, of path length 0, is taken without its chain', async () => {
    const { printed, asked } = await issuing(root, signs);
    expect(checkSigned(printed + root.cert, asked)).toBe(printed);
  });

  test.each([
    ['that is a leaf', await issuing(root, {}), expect.toSay('certificate-leaf')],
    ['that may have CAs below it', await issuing(root, { ...signs, pathLen: 1 }), expect.toSay('may-cas-below', '1')],
    [
      'without a path length',
      await issuing(root, { ...signs, pathLen: undefined }),
      expect.stringMatching(/any number of CAs/),
    ],
    ['that may not sign', await issuing(root, { ...signs, usage: [0] }), expect.toSay('may-not-sign-certificates')],
    [
      'for servers as well',
      await issuing(root, { ...signs, purposes: [...clientAuth, OID.serverAuth] }),
      expect.stringMatching(/alone/),
    ],
    [
      'for any purpose',
      await issuing(root, { ...signs, purposes: [OID.anyExtendedKeyUsage] }),
      expect.stringMatching(/alone/),
    ],
  ] as const)('%s is refused: such a CA signs for leaves only', (_, { printed, asked }, message) => {
    expect(() => checkSigned(printed, asked)).toThrow(expect.objectContaining({ code: 'E_CA_LEAF_ONLY', message }));
  });

  test.each([
    [
      'with the name of another client',
      await issuing(root, signs, 'docker-tls client ann'),
      expect.stringMatching(/is called/),
    ],
    [
      'with a name that nobody asked for',
      await issuing(root, { ...signs, names: 'DNS:evil.test' }),
      expect.stringMatching(/evil\.test/),
    ],
    ['that is over within the hour', await issuing(root, { ...signs, to: 1 / 48 }), expect.toSay('less-hour')],
    ['of another CA', await issuing(other, signs), expect.stringMatching(/does not hold/)],
    ['of a CA below ours', await issuing(middle, signs), expect.toSay('ca-below-ca-store')],
  ] as const)('%s is refused as that', (_, { printed, asked }, message) => {
    expect(() => checkSigned(printed, asked)).toThrow(
      expect.objectContaining({
        ...{ code: 'E_SIGN_ANSWER', message },
        hints: ['docker-tls ca show'],
      }),
    );
  });

  test('of an older CA is refused: it would not last', async () => {
    const { printed, asked } = await issuing(other, signs);
    expect(() => checkSigned(printed, { ...asked, ca: root.cert + other.cert })).toThrow(/does not hold/);
  });
});

test("a client's certificate is for clients alone: with serverAuth its sender could be a host to every client", async () => {
  const wanted = { ...request, profile: 'client', sans: undefined } as const;
  const client = (await issueClient({ authority: root, name: 'web', days: 10, now, publicKey })).leaf;
  expect(checkSigned(client, wanted)).toBe(client);
  const both = await forged(root, { purposes: [OID.clientAuth, OID.serverAuth] });
  expect(() => checkSigned(both.printed, { ...both.request, profile: 'client', sans: undefined })).toThrow(
    expect.toSay('good-servers-well'),
  );
});

test("a client's certificate has its own name: authorization plugins go by it", async () => {
  const wanted = { ...request, profile: 'client', sans: undefined } as const;
  const { cert, key: own } = await forge('ann', root, {});
  const csrOfWeb = makeCsr({ key: own, commonName: 'web' });
  expect(() => checkSigned(cert, { ...wanted, csr: csrOfWeb })).toThrow(/is called "ann", not "web"/);
  // step-ca repeats the client's own name as another kind of SAN.
  for (const [names, allowed] of [
    ['DNS:web', true],
    ['URI:web', true],
    ['DNS:ann', false],
  ] as const) {
    const one = await forge('web', root, { names });
    const check = () => checkSigned(one.cert, { ...wanted, csr: makeCsr({ key: one.key, commonName: 'web' }) });
    if (allowed) expect(check()).toBe(one.cert);
    else expect(check).toThrow(expect.toSay('names-not-requested', 'ann'));
  }
});
