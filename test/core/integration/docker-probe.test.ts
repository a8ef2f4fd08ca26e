import { getDefaultAutoSelectFamily } from 'node:net';
import { Duplex, Readable, Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probe } from '../../../src/core/adapters/docker/probe.ts';
import { certificatesOf } from '../../../src/core/adapters/docker/served.ts';
import { Secret } from '../../../src/core/domain/secret.ts';
import type { ProbeOutcome, ProbeRequest } from '../../../src/core/runtime.ts';
import { CertificateFactory, type Issued } from '../../support/certificate-factory.ts';
import { ownPort } from '../../support/ports.ts';
import { type Listening, startRawServer, startTlsDaemon, VERSION_BODY } from '../../support/tls-daemon.ts';

const factory = new CertificateFactory();
const ca = factory.issue('docker-tls test CA', { ca: true });
const server = factory.issue('server', { by: ca, san: 'DNS:localhost,IP:127.0.0.1', usage: 'serverAuth' });
const issuing = factory.issue('issuing CA of laptop', { by: ca, ca: true });
const client = factory.chained(factory.issue('laptop', { by: issuing, usage: 'clientAuth' }), issuing);
const otherCa = factory.issue('another CA', { ca: true });
const untrusted = factory.issue('untrusted client', { by: otherCa, usage: 'clientAuth' });
const late = factory.issue('late', { by: ca, usage: 'clientAuth', from: -9, to: -2 });
const running: Listening[] = [];

afterAll(async () => {
  await Promise.all(running.map((one) => one.stop()));
  factory.remove();
});

function as(credential: Issued): ProbeRequest['credentials'] {
  return { cert: credential.cert, key: new Secret(credential.key) };
}

async function daemon(options: { server?: Issued; trust?: Issued; flags?: string[] } = {}): Promise<Listening> {
  const started = await startTlsDaemon(factory, {
    server: options.server ?? server,
    trust: options.trust ?? ca,
    flags: options.flags,
  });
  running.push(started);
  return started;
}

async function raw(...args: Parameters<typeof startRawServer>): Promise<Listening> {
  const started = await startRawServer(...args);
  running.push(started);
  return started;
}

function ask(port: number, more: Partial<ProbeRequest> = {}): Promise<ProbeOutcome> {
  return probe({ address: '127.0.0.1', port, ca: ca.cert, timeoutMs: 20_000, ...more });
}

function names(outcome: ProbeOutcome): string[] {
  return certificatesOf(outcome.chain).map((one) => one.subject);
}

it('survives a way through another program that ends without an answer', async () => {
  // As ssh's stdin and stdout: the destroyed stream reports the end with a second error.
  const dial = async () =>
    Duplex.from({
      readable: Readable.from([]),
      writable: new Writable({ write: (_chunk, _encoding, done) => done() }),
    });
  expect(await ask(1, { dial, plain: true })).toMatchObject({ kind: 'refused', cause: 'reset' });
  await new Promise((resolve) => setTimeout(resolve, 50));
});

describe('a daemon with good credentials', () => {
  let port = 0;
  beforeAll(async () => {
    port = (await daemon()).port;
  });

  it('lets a client in over TLS 1.3 and tells what it said', async () => {
    const outcome = await ask(port, { credentials: as(client), path: '/version' });
    expect(outcome).toMatchObject({ kind: 'accepted', status: 200, body: VERSION_BODY, protocol: 'TLSv1.3' });
    expect(names(outcome)).toEqual(['CN=server']);
    expect(outcome.chain).toBe(server.cert);
  });

  it('lets a client in over TLS 1.2', async () => {
    const outcome = await ask(port, { credentials: as(client), maxVersion: 'TLSv1.2' });
    expect(outcome).toMatchObject({ kind: 'accepted', protocol: 'TLSv1.2' });
  });

  it('verifies a DNS name, an address, and a name given apart from the address', async () => {
    expect(await ask(port, { credentials: as(client), address: 'localhost' })).toMatchObject({ kind: 'accepted' });
    expect(await ask(port, { credentials: as(client), serverName: 'localhost' })).toMatchObject({ kind: 'accepted' });
  });

  const intruders: [string, Partial<ProbeRequest>][] = [
    ['no certificate', {}],
    ['a certificate of another CA', { credentials: as(untrusted) }],
    ['the certificate of the server', { credentials: as(server) }],
    ['an expired client certificate', { credentials: as(late) }],
  ];
  for (const [what, request] of intruders) {
    it(`refuses ${what}, which is seen at the first read, and still tells the served chain`, async () => {
      const outcome = await ask(port, request);
      expect(outcome).toMatchObject({ kind: 'refused', cause: 'client-refused', stage: 'answer', chain: server.cert });
    });
  }

  for (const [what, request] of intruders) {
    it(`refuses ${what} under TLS 1.2 too, within the handshake, and the served certificate is told`, async () => {
      const outcome = await ask(port, { ...request, maxVersion: 'TLSv1.2' });
      expect(outcome).toMatchObject({
        kind: 'refused',
        cause: 'client-refused',
        stage: 'handshake',
        chain: server.cert,
      });
    });
  }

  it("has no cipher in common with a server that takes only an odd one, which is not the client's fault", async () => {
    const odd = await daemon({ flags: ['-tls1_2', '-cipher', 'AES128-SHA'] });
    const outcome = await ask(odd.port, { credentials: as(client) });
    expect(outcome).toMatchObject({ kind: 'refused', cause: 'protocol', stage: 'handshake' });
  });

  it('refuses TLS 1.1', async () => {
    expect(await ask(port, { credentials: as(client), maxVersion: 'TLSv1.1' })).toMatchObject({
      kind: 'refused',
      cause: 'protocol',
    });
  });

  it('is not trusted by who trusts another CA', async () => {
    const outcome = await ask(port, { ca: otherCa.cert, credentials: as(client) });
    expect(outcome).toMatchObject({ kind: 'refused', cause: 'unknown-authority', chain: server.cert });
  });

  it('has the wrong name for who dials it by another one, and the names it has are told', async () => {
    const outcome = await ask(port, { serverName: 'db.example', credentials: as(client) });
    expect(outcome).toMatchObject({ kind: 'refused', cause: 'wrong-name' });
    expect(outcome.kind === 'refused' && outcome.reason).toContain(
      'DNS:localhost, IP Address:127.0.0.1, not for db.example',
    );
  });

  it('needs credentials that fit together', async () => {
    // Data cached for a certificate and its key does not serve another key.
    expect(await ask(port, { credentials: as(client) })).toMatchObject({ kind: 'accepted' });
    const mixed = { cert: client.cert, key: new Secret(server.key) };
    await expect(ask(port, { credentials: mixed })).rejects.toMatchObject({ code: 'E_PROBE_CREDENTIALS', exit: 2 });
    await expect(ask(port, { credentials: { cert: 'x', key: new Secret('x') } })).rejects.toMatchObject({
      code: 'E_PROBE_CREDENTIALS',
    });
    await expect(ask(port, { ca: '' })).rejects.toMatchObject({ code: 'E_PROBE_TRUST' });
  });
});

describe('a server that is not trusted', () => {
  it('never sees a byte of the request, which it would if it were', async () => {
    const { createServer } = await import('node:tls');
    let data = '';
    let ended = 0;
    const impostor = createServer({ cert: server.cert, key: server.key }, (socket) => {
      socket.on('data', (part) => {
        data += part.toString();
      });
      socket.on('error', () => undefined);
    });
    // The probe may hang up before its last flight is sent: then the server sees no connection at all.
    impostor.on('connection', (socket) => socket.once('close', () => (ended += 1)));
    await new Promise<void>((resolve) => impostor.listen(0, '127.0.0.1', resolve));
    const { port } = impostor.address() as import('node:net').AddressInfo;
    expect(await ask(port, { timeoutMs: 6000 })).toMatchObject({
      kind: 'refused',
      cause: 'timed-out',
      stage: 'answer',
    });
    expect(data).toContain('GET /_ping');
    data = '';
    for (const request of [{ ca: otherCa.cert }, { serverName: 'db.example' }]) {
      ended = 0;
      const outcome = await ask(port, { credentials: as(client), ...request });
      expect(outcome).toMatchObject({ kind: 'refused', stage: 'handshake', chain: server.cert });
      await expect.poll(() => ended).toBe(1);
      expect(data).toBe('');
    }
    await new Promise((resolve) => impostor.close(resolve));
  });
});

describe('a daemon with credentials that are not good', () => {
  const cases: [string, Issued, string, string][] = [
    [
      'expired',
      factory.issue('old', { by: ca, san: 'IP:127.0.0.1', from: -9, to: -2 }),
      'expired',
      "the server's certificate (valid from",
    ],
    [
      'not valid yet',
      factory.issue('young', { by: ca, san: 'IP:127.0.0.1', from: 2, to: 9 }),
      'not-yet-valid',
      'is not valid yet',
    ],
    [
      'signed by itself',
      factory.issue('self', { san: 'IP:127.0.0.1' }),
      'unknown-authority',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
    ],
    [
      'that names its host by CN only',
      factory.issue('127.0.0.1', { by: ca }),
      'wrong-name',
      'no subject alternative name',
    ],
    [
      'for clients only',
      factory.issue('c', { by: ca, san: 'IP:127.0.0.1', usage: 'clientAuth' }),
      'unknown-authority',
      'INVALID_PURPOSE',
    ],
  ];
  for (const [what, credential, cause, reason] of cases) {
    it(`is refused when its certificate is one ${what}; what it served is told`, async () => {
      const { port } = await daemon({ server: credential });
      const outcome = await ask(port, { credentials: as(client) });
      expect(outcome).toMatchObject({ kind: 'refused', cause, chain: credential.cert });
      expect(outcome.kind === 'refused' && outcome.reason).toContain(reason);
    });
  }

  it('is refused when the CA itself has expired, and the CA is named', async () => {
    const oldCa = factory.issue('old CA', { ca: true, from: -9, to: -2 });
    const { port } = await daemon({ server: factory.issue('s', { by: oldCa, san: 'IP:127.0.0.1' }) });
    const outcome = await ask(port, { ca: oldCa.cert });
    expect(outcome).toMatchObject({ kind: 'refused', cause: 'expired' });
    expect(outcome.kind === 'refused' && outcome.reason).toContain('CA certificate "CN=old CA"');
  });
});

describe('chains', () => {
  it('trusts an intermediate CA as an anchor, as Go does', async () => {
    const { port } = await daemon({ server: factory.issue('s', { by: issuing, san: 'IP:127.0.0.1' }) });
    expect(await ask(port, { ca: issuing.cert, credentials: as(client) })).toMatchObject({ kind: 'accepted' });
  });

  it('trusts a server of a new CA through the old one, by a cross-signed certificate, and tells the chain as it was served', async () => {
    const newCa = factory.issue('new CA', { ca: true });
    const cross = factory.issue('new CA', { ca: true, by: ca, key: newCa });
    const credential = factory.chained(factory.issue('s', { by: newCa, san: 'IP:127.0.0.1' }), cross);
    const { port } = await daemon({ server: credential });
    for (const trusted of [ca.cert, newCa.cert, ca.cert + newCa.cert]) {
      const outcome = await ask(port, { ca: trusted, credentials: as(client) });
      expect(outcome).toMatchObject({ kind: 'accepted', chain: credential.cert });
    }
  });

  it('trusts a cross-signed certificate itself as an anchor', async () => {
    const newCa = factory.issue('new CA', { ca: true });
    const cross = factory.issue('new CA', { ca: true, by: otherCa, key: newCa });
    const { port } = await daemon({ server: factory.issue('s', { by: newCa, san: 'IP:127.0.0.1' }) });
    expect(await ask(port, { ca: cross.cert, credentials: as(client) })).toMatchObject({ kind: 'accepted' });
  });
});

describe('a daemon that lets TLS 1.1 in', () => {
  it('is found out', async () => {
    const { port } = await daemon({ flags: ['-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0'] });
    expect(await ask(port, { credentials: as(client), maxVersion: 'TLSv1.1' })).toMatchObject({
      kind: 'accepted',
      protocol: 'TLSv1.1',
    });
    expect(await ask(port, { credentials: as(client) })).toMatchObject({ kind: 'refused', cause: 'protocol' });
  });
});

describe('ports that are no daemon', () => {
  const http = (text: string) => (socket: import('node:net').Socket) => socket.once('data', () => socket.end(text));

  it('plain HTTP: told from another connection, not guessed', async () => {
    const { port } = await raw(http('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n400 Bad Request'));
    expect(await ask(port)).toMatchObject({ kind: 'refused', cause: 'plain-http' });
  });

  it('something else that is not TLS (here ssh)', async () => {
    const { port } = await raw((socket) => socket.write('SSH-2.0-OpenSSH_10.0p2 Debian-7\r\n'));
    expect(await ask(port)).toMatchObject({ kind: 'refused', cause: 'protocol' });
  });

  it('one that closes at once', async () => {
    const { port } = await raw((socket) => socket.end());
    expect(await ask(port)).toMatchObject({ kind: 'refused', cause: 'reset' });
  });

  it('one that never answers, at each stage', async () => {
    const { port } = await raw(() => undefined);
    expect(await ask(port, { timeoutMs: 1500 })).toMatchObject({
      kind: 'refused',
      cause: 'timed-out',
      stage: 'handshake',
    });
    expect(await ask(port, { timeoutMs: 1500, plain: true })).toMatchObject({ cause: 'timed-out', stage: 'answer' });
  });

  it('one where nothing listens, by address and by a name with several addresses', async () => {
    const port = await ownPort();
    expect(getDefaultAutoSelectFamily()).toBe(true);
    for (const address of ['127.0.0.1', 'localhost', '[::1]']) {
      const outcome = await ask(port, { address });
      // A machine without IPv6 has no ::1.
      expect(outcome.kind === 'refused' && outcome.cause).toMatch(
        address === '[::1]' ? /connection-refused|unreachable/ : /connection-refused/,
      );
    }
  });

  it('a name that does not exist', async () => {
    const outcome = await ask(1, { address: 'nobody.invalid' });
    expect(outcome).toMatchObject({ kind: 'refused', cause: 'name-not-found', stage: 'connect' });
  });

  it('one whose answer is cleaned before it is shown', async () => {
    const { port } = await raw(http('\u001b]0;evil\u0007nonsense'));
    const outcome = await ask(port, { plain: true });
    expect(outcome).toMatchObject({ kind: 'refused', cause: 'protocol' });
    expect(JSON.stringify(outcome)).not.toContain('evil');
  });
});

describe('plain HTTP probes', () => {
  const answering = (text: string) => raw((socket) => socket.once('data', () => socket.end(text)));

  it('accepted by a daemon that speaks it', async () => {
    const { port } = await answering('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nOK\r\n0\r\n\r\n');
    expect(await ask(port, { plain: true })).toMatchObject({ kind: 'accepted', status: 200, body: 'OK', chain: '' });
  });

  it("refused by a daemon that answers as Go's TLS server does", async () => {
    const { port } = await answering(
      'HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n',
    );
    expect(await ask(port, { plain: true })).toMatchObject({ kind: 'refused', cause: 'protocol' });
  });

  it('refused by a TLS server that sends an alert or hangs up', async () => {
    const { port } = await answering('\u0015\u0003\u0001\u0000\u0002\u0002F');
    expect(await ask(port, { plain: true })).toMatchObject({ kind: 'refused', cause: 'protocol' });
    const closing = await answering('');
    expect(await ask(closing.port, { plain: true })).toMatchObject({ kind: 'refused', cause: 'reset' });
  });

  it('refused when the answer never ends', async () => {
    const { port } = await raw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.on('drain', () => socket.write('x'.repeat(1 << 20)));
      for (let n = 0; n < 6; n += 1) socket.write('x'.repeat(1 << 20));
    });
    const outcome = await ask(port, { plain: true });
    expect(outcome).toMatchObject({ kind: 'refused', cause: 'other' });
  });
});

describe('a reset that swallowed the alert', () => {
  it('is asked again in silence, and the alert is heard', async () => {
    const { port } = await daemon();
    // A proxy that cuts the first connection when the client sends after the handshake, like a lost race on the wire.
    const { connect } = await import('node:net');
    let connections = 0;
    const proxy = await raw((socket) => {
      connections += 1;
      const first = connections === 1;
      const through = connect(port, '127.0.0.1');
      through.on('error', () => undefined);
      let flights = 0;
      socket.on('data', (data) => {
        flights += 1;
        if (!first || flights === 1) through.write(data);
        else {
          socket.resetAndDestroy();
          through.destroy();
        }
      });
      through.on('data', (data) => socket.write(data));
      through.on('close', () => socket.end());
    });
    const outcome = await ask(proxy.port);
    expect(connections).toBe(2);
    expect(outcome).toMatchObject({ kind: 'refused', cause: 'client-refused' });
  });
});
