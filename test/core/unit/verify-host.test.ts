/** Results of the probes: a passed verification, or an error with hints. */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { refusalOf } from '../../../src/core/adapters/docker/refusal.ts';
import { issueCa } from '../../../src/core/domain/pki/certificate.ts';
import { inspectCertificate } from '../../../src/core/domain/pki/inspect.ts';
import { Secret } from '../../../src/core/domain/secret.ts';
import { requireVerified, verifyHost } from '../../../src/core/engine/verify-host.ts';
import { coloursOf } from '../../../src/core/render/colours.ts';
import { renderChecks } from '../../../src/core/render/host-outcome.ts';
import type { Io, Probe, ProbeOutcome, ProbeRequest } from '../../../src/core/runtime.ts';

type Cause = Extract<ProbeOutcome, { kind: 'refused' }>['cause'];

/** Every connection gets the same answer, except perhaps one with an old protocol. */
function verify(cause: Cause, old: Cause = cause) {
  return verifyHost(
    async ({ maxVersion }) => ({
      kind: 'refused',
      cause: maxVersion === 'TLSv1.1' ? old : cause,
      reason: 'why',
      chain: '',
      elapsedMs: 1,
    }),
    {
      address: '10.0.0.1',
      port: 2377,
      ca: '',
      client: { name: 'ada', cert: '', key: new Secret('k') },
      now: new Date('2026-01-01T00:00:00Z'),
    },
  );
}

function failure(work: () => void) {
  try {
    work();
  } catch (error) {
    return error as { code: string; exit: number; message: string; hints: string[] };
  }
  throw new Error('it did not fail');
}

test.each<[Cause, RegExp[]]>([
  ['timed-out', [/--reach ssh/, /TCP port 2377 of 10\.0\.0\.1 .*firewall/, /--port N/, /--address NAME/]],
  ['connection-refused', [/--reach ssh/, /firewall/, /--port N/, /--address NAME/]],
  ['name-not-found', [/getent hosts 10\.0\.0\.1/, /--address NAME/]],
  ['wrong-name', [/--san 10\.0\.0\.1/, /--address NAME/]],
  ['protocol', [/openssl s_client -connect 10\.0\.0\.1:2377/, /--port N/, /--address NAME/]],
])('a first setup that fails by %s says what to do: nothing that asks the store', async (cause, hints) => {
  const checks = await verify(cause);
  const error = failure(() => requireVerified('new', checks, 'x', { address: '10.0.0.1', port: 2377 }));
  expect(error).toMatchObject({ code: 'E_VERIFY', exit: 7 });
  expect(error.hints).toEqual(hints.map((hint) => expect.stringMatching(hint)));
});

test.each([
  ['root', 'journalctl -u '],
  ['user', 'journalctl --user -u '],
] as const)('a socket on the host that fails leads to the log of the systemd of %s', (onHost, command) => {
  const check = {
    who: 'socket ci',
    expected: 'accepted',
    ok: false,
    outcome: 'status 503',
    onHost,
    elapsedMs: 0,
  } as const;
  expect(failure(() => requireVerified('web', [check], 'x', { address: '10.0.0.1', port: 2376 })).hints).toEqual([
    expect.stringContaining(`: ${command}`),
  ]);
});

test('a host that asks for a certificate in TLS 1.3 alone is not closed', async () => {
  const checks = await verifyHost(
    async ({ maxVersion, credentials }) =>
      maxVersion === 'TLSv1.2' && credentials === undefined
        ? { kind: 'accepted', status: 200, body: '', protocol: 'TLSv1.2', chain: '', elapsedMs: 1 }
        : { kind: 'refused', cause: 'client-refused', reason: 'why', chain: '', elapsedMs: 1 },
    { address: '10.0.0.1', port: 2376, ca: '', now: new Date('2026-01-01T00:00:00Z') },
  );
  expect(checks.filter(({ ok }) => !ok).map(({ who }) => who)).toContain('no certificate, TLS 1.2');
});

test('a client that is accepted by another server certificate is not called rejected', async () => {
  const ca = await issueCa({ name: 'ca', days: 9, now: new Date() });
  const checks = await verifyHost(
    async ({ credentials, maxVersion }) =>
      credentials?.cert === 'ada' && maxVersion === undefined
        ? { kind: 'accepted', status: 200, body: '', protocol: 'TLSv1.3', chain: ca.cert, elapsedMs: 1 }
        : { kind: 'refused', cause: 'client-refused', reason: 'why', chain: '', elapsedMs: 1 },
    {
      address: '10.0.0.1',
      port: 2376,
      ca: '',
      client: { name: 'ada', cert: 'ada', key: new Secret('k') },
      serverCert: (await issueCa({ name: 'other', days: 9, now: new Date() })).cert,
      now: new Date('2026-01-01T00:00:00Z'),
    },
  );
  const error = failure(() => requireVerified('web', checks, 'x'));
  expect(error.message).toSay('host-serves-another-certificate');
  expect(error.hints).toEqual([expect.toSay('after-run-killed-before', 'docker-tls apply web')]);
});

describe('a port', () => {
  const key = new Secret('k');
  const clients = {
    ...{ address: '10.0.0.1', port: 2376, ca: '', now: new Date('2026-01-01T00:00:00Z') },
    client: { name: 'ada', cert: 'ada', key },
    others: [{ name: 'bob', cert: 'bob', key }],
    server: { cert: 'server', key },
    expired: [{ name: 'old', cert: 'old', key }],
    revoked: [{ name: 'eve', cert: 'eve', key }],
  };
  const bad = (checks: Awaited<ReturnType<typeof verifyHost>>) => checks.flatMap(({ who, ok }) => (ok ? [] : [who]));
  const open: ProbeOutcome = { kind: 'accepted', status: 200, body: '', protocol: 'x', chain: '', elapsedMs: 1 };
  const shut: ProbeOutcome = { kind: 'refused', cause: 'client-refused', reason: 'why', chain: '', elapsedMs: 1 };

  test('that accepts every client fails for each that must be rejected', async () => {
    expect(bad(await verifyHost(async () => open, clients))).toEqual([
      'no certificate',
      'no certificate, TLS 1.2',
      expect.toSay('certificate-untrusted-ca'),
      expect.toSay('server-certificate'),
      'plain HTTP',
      'TLS 1.1',
      'expired client old',
      'revoked client eve',
    ]);
  });

  test('is connected to as each of them, with what makes it one', async () => {
    const seen: ProbeRequest[] = [];
    const probe: Probe = async (request) => {
      seen.push(request);
      return shut;
    };
    await verifyHost(probe, clients);
    const shows = ({ credentials, plain, maxVersion }: ProbeRequest) => {
      const cert = credentials?.cert ?? 'none';
      return [cert.startsWith('-----') ? 'another' : cert, plain ? 'plain' : (maxVersion ?? 'TLS')].join(' ');
    };
    expect(seen.map(shows).sort()).toEqual([
      ...['ada TLS', 'ada TLSv1.1', 'another TLS', 'bob TLS', 'eve TLS', 'none TLS', 'none TLSv1.2', 'none plain'],
      ...['old TLS', 'server TLS'],
    ]);
    // Only its CA is a reason to refuse it; otherwise it is as good as a client's certificate can be.
    const { cert = '', key: own } = seen.find((one) => one.credentials?.cert.startsWith('-----'))?.credentials ?? {};
    const { notBefore, notAfter, extKeyUsage } = inspectCertificate(cert);
    expect(extKeyUsage).toEqual(['clientAuth']);
    expect(notBefore <= clients.now && clients.now < notAfter).toBe(true);
    expect(new X509Certificate(cert).checkPrivateKey(createPrivateKey(own?.revealText() ?? ''))).toBe(true);
  });

  test('that accepts no client fails for each that must be accepted', async () => {
    expect(bad(await verifyHost(async () => shut, clients))).toEqual(['client ada', 'client bob']);
  });

  test('that is not answered by a daemon that is fit is no good', async () => {
    const checks = await verifyHost(async () => ({ ...open, status: 403 }), clients);
    expect(checks[0]).toMatchObject({
      who: 'client ada',
      ok: false,
      outcome: expect.toSay('daemon-answered-status', '403'),
    });
  });

  test('where no client is here, has to ask for a certificate and to serve the one on record', async () => {
    const { client: _, others: __, ...none } = clients;
    const [ours, theirs] = [
      await issueCa({ name: 'a', days: 9, now: none.now }),
      await issueCa({ name: 'b', days: 9, now: none.now }),
    ];
    const first = async (outcome: ProbeOutcome) =>
      (await verifyHost(async () => outcome, { ...none, serverCert: ours.cert }))[0];
    expect(await first({ ...shut, chain: ours.cert })).toMatchObject({ who: 'no certificate', ok: true });
    expect(await first({ ...shut, chain: theirs.cert })).toMatchObject({ ok: false, otherCertificate: true });
    expect(await first({ ...shut, chain: '' })).toMatchObject({ ok: false, otherCertificate: true });
    expect(await first({ ...shut, cause: 'wrong-name', chain: ours.cert })).toMatchObject({ ok: false });
  });
});

test('where nothing answers no client got further than it may, and jump hosts are no way for clients', async () => {
  const silent = (await verify('timed-out')).filter(({ expected }) => expected === 'refused');
  const error = failure(() => requireVerified('new', silent, 'x', { address: '10.0.0.1', port: 2377 }));
  expect(error.message).toSay('no-answer-timed-out');
  expect(error.hints[1]).toSay('not-through-ssh-jump');
});

test('what this computer cannot speak was not tried, and no client was rejected', async () => {
  const error = Object.assign(new Error('no protocols'), { code: 'ERR_SSL_NO_PROTOCOLS_AVAILABLE' });
  expect(refusalOf(error, { stage: 'handshake', keyed: false, maxVersion: 'TLSv1.1' })).toMatchObject({
    cause: 'not-spoken-here',
  });
  const checks = await verify('client-refused', 'not-spoken-here');
  const old = checks.find(({ who }) => who === 'TLS 1.1');
  expect(old).toMatchObject({ ok: true, outcome: 'not tried: why' });
  const plain = coloursOf({ colour: false } as Io);
  expect(renderChecks(checks, plain)).toContain('  – TLS 1.1: not tried');
  expect(renderChecks(checks, plain)).toContain('  ✓ no certificate: rejected');
});

test('Ctrl-C ends the wait for a host that does not answer', async () => {
  const stop = new AbortController();
  const reason = new Error('stopped');
  let asked = 0;
  const silent: Probe = () => {
    asked += 1;
    return new Promise(() => {});
  };
  const request = { address: 'h', port: 1, ca: '', now: new Date(), signal: stop.signal };
  const checks = verifyHost(silent, request);
  const outcome = expect(checks).rejects.toBe(reason);
  await new Promise((resolve) => setTimeout(resolve, 50));
  stop.abort(reason);
  await outcome;
  expect(asked).toBeGreaterThan(0);
  await expect(verifyHost(silent, request)).rejects.toBe(reason);
});

const REFUSAL = '{"message":"docker-tls: client prom has the role monitor, which does not allow GET \\/configs\\/x"}';

describe('a client with a role', () => {
  const limited = [{ name: 'prom', role: 'monitor', path: '/configs/x', cert: 'prom', key: new Secret('k') }];
  const request = { address: '10.0.0.1', port: 2376, ca: '', now: new Date('2026-01-01T00:00:00Z'), limited };
  const answering =
    (status: number, body = ''): Probe =>
    async ({ credentials, path, maxVersion }) =>
      credentials?.cert === 'prom' && maxVersion === undefined
        ? { ...answer, body, status: path === undefined ? 200 : status }
        : { kind: 'refused', cause: 'client-refused', reason: 'why', chain: '', elapsedMs: 1 };
  const answer = { kind: 'accepted', body: '', protocol: 'TLSv1.3', chain: '', elapsedMs: 1 } as const;

  test('sends a request that its role allows, and one that it does not', async () => {
    const checks = await verifyHost(answering(403, REFUSAL), request);
    expect(checks.filter(({ ok }) => !ok)).toEqual([]);
    expect(checks.filter(({ who }) => who.includes('prom'))).toEqual([
      expect.objectContaining({ who: 'client prom', expected: 'accepted', outcome: 'accepted (TLSv1.3)' }),
      expect.objectContaining({ who: 'client prom (monitor), GET /configs/x', request: 'GET /configs/x' }),
    ]);
  });

  test.each([
    [200, REFUSAL],
    [403, ''],
    [403, '{"message":"authorization denied by plugin docker-tls: client "}'],
    [404, ''],
    [503, ''],
  ])('whose other request gets %i %s is not limited by its role', async (status, body) => {
    const bad = (await verifyHost(answering(status, body), request)).filter(({ ok }) => !ok);
    expect(bad.map(({ who, outcome }) => `${who}: ${outcome}`)).toEqual([
      expect.toSay('monitor-get-not-rejected', 'prom', '/configs/x', status),
    ]);
    expect(failure(() => requireVerified('h', bad, '')).message).toSay(
      'verification-failed-not-rejected',
      'prom',
      '/configs/x',
    );
  });
});

test.each([
  ['accepted', false, 'accepted with status 200'],
  ['refused', true, 'nothing speaks HTTP there from here'],
] as const)('a daemon behind another service whose own port is %s', async (kind, ok, outcome) => {
  const shut = { kind: 'refused', cause: 'connection-refused', reason: 'why', chain: '', elapsedMs: 1 } as const;
  const open = { kind: 'accepted', status: 200, body: '', protocol: '', chain: '', elapsedMs: 1 } as const;
  const dialled: number[] = [];
  const probe: Probe = async ({ port }) => {
    dialled.push(port);
    return port === 2375 && kind === 'accepted' ? open : shut;
  };
  const request = { address: '10.0.0.1', port: 2376, ca: '', now: new Date('2026-01-01T00:00:00Z') };
  expect((await verifyHost(probe, { ...request, behind: true })).at(-1)).toMatchObject({ ok, outcome });
  dialled.length = 0;
  await verifyHost(probe, request);
  expect(dialled).not.toContain(2375);
});
