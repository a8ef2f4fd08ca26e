/** Certificates under strict verifiers: openssl -x509_strict, Python's default context, curl, and Node's TLS, over loopback. */

import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  crossSign,
  type IssuedAuthority,
  type IssuedPair,
  issueCa,
  issueClient,
  issueClientAuthority,
  issueServer,
} from '../../../src/core/domain/pki/certificate.ts';
import { verifyChain } from '../../../src/core/domain/pki/inspect.ts';
import type { KeyType } from '../../../src/core/domain/pki/key-types.ts';
import { parseSan } from '../../../src/core/domain/pki/san.ts';
import { withStrictServer } from '../../support/strict-server.ts';

const run = promisify(execFile);
const now = new Date();
const sans = ['localhost', '127.0.0.1', '::1', 'build-1.example.com', '*.build.example.com'].map(parseSan);

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'docker-tls-pki-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

let count = 0;
/** Writes a text to a new file in the private directory, and returns the path. */
async function file(text: string): Promise<string> {
  count += 1;
  const path = join(directory, `${count}.pem`);
  await writeFile(path, text, { mode: 0o600 });
  return path;
}

/** `OK`, or openssl's error. */
async function opensslVerify(options: {
  leaf: string;
  anchors: string;
  purpose: 'sslserver' | 'sslclient';
  more?: readonly string[];
}): Promise<string> {
  const [leaf, anchors] = [await file(options.leaf), await file(options.anchors)];
  const args = [
    '-x509_strict',
    '-purpose',
    options.purpose,
    '-CAfile',
    anchors,
    '-untrusted',
    leaf,
    ...(options.more ?? []),
    leaf,
  ];
  try {
    await run('openssl', ['verify', '-no-CApath', '-no-CAstore', ...args]);
    return 'OK';
  } catch (error) {
    return (error as { stderr: string }).stderr;
  }
}

const CRYPTOGRAPHY = `
import sys
from cryptography import x509
from cryptography.x509 import verification
kind, chain_file, trust_file = sys.argv[1:]
leaf, *chain = x509.load_pem_x509_certificates(open(chain_file, 'rb').read())
trust = verification.Store(x509.load_pem_x509_certificates(open(trust_file, 'rb').read()))
builder = verification.PolicyBuilder().store(trust)
if kind == 'client':
    print(builder.build_client_verifier().verify(leaf, chain).subjects[0].value)
else:
    builder.build_server_verifier(x509.DNSName('build-1.example.com')).verify(leaf, chain)
    print('build-1.example.com')
`;

type Credentials = {
  ca: IssuedAuthority;
  server: IssuedPair;
  ann: IssuedAuthority;
  client: IssuedPair;
  bob: IssuedAuthority;
  bobClient: IssuedPair;
};

async function makeCredentials(caType: KeyType, leafType: KeyType): Promise<Credentials> {
  const ca = await issueCa({ name: `Test ${caType}`, days: 3650, now, keyType: caType });
  // RSA keys take long, so only a CA and the two sides of a handshake have one. Bob only needs to be another client.
  const annType = leafType.startsWith('rsa') ? 'p256' : leafType;
  const [server, ann, bob] = await Promise.all([
    issueServer({ ca, sans, days: 397, now, keyType: leafType }),
    issueClientAuthority({ ca, clientName: 'ann', days: 1000, now, keyType: annType }),
    issueClientAuthority({ ca, clientName: 'bob', days: 1000, now }),
  ]);
  const client = await issueClient({ authority: ann, name: 'ann', days: 90, now, keyType: leafType });
  const bobClient = await issueClient({ authority: bob, name: 'bob', days: 90, now });
  return { ca, server, ann, client, bob, bobClient };
}

const PAIRS: readonly (readonly [ca: KeyType, leaf: KeyType])[] = [
  ['p256', 'p256'],
  ['p384', 'p384'],
  ['ed25519', 'ed25519'],
  ['rsa2048', 'rsa2048'],
  ['rsa4096', 'p256'],
  ['p256', 'rsa3072'],
  ['p384', 'ed25519'],
];

describe.each(PAIRS)('CA %s, leaves %s', (caType, leafType) => {
  let credentials: Credentials;
  beforeAll(async () => {
    credentials = await makeCredentials(caType, leafType);
  });

  test('openssl takes each for its own purpose, and for no other', async () => {
    const { ca, server, ann, client, bob } = credentials;
    const verify = opensslVerify;
    expect(await verify({ leaf: server.cert, anchors: ca.cert, purpose: 'sslserver' })).toBe('OK');
    expect(await verify({ leaf: client.cert, anchors: ca.cert, purpose: 'sslclient' })).toBe('OK');
    expect(await verify({ leaf: server.cert, anchors: ca.cert, purpose: 'sslclient' })).toMatch(/purpose/);
    expect(await verify({ leaf: client.cert, anchors: ca.cert, purpose: 'sslserver' })).toMatch(/purpose/);
    for (const name of ['localhost', 'build-1.example.com', 'any.build.example.com']) {
      const more = ['-verify_hostname', name];
      expect(await verify({ leaf: server.cert, anchors: ca.cert, purpose: 'sslserver', more })).toBe('OK');
    }
    for (const address of ['127.0.0.1', '::1']) {
      const more = ['-verify_ip', address];
      expect(await verify({ leaf: server.cert, anchors: ca.cert, purpose: 'sslserver', more })).toBe('OK');
    }
    const more = ['-partial_chain'];
    expect(await verify({ leaf: client.cert, anchors: ann.leaf, purpose: 'sslclient', more })).toBe('OK');
    expect(await verify({ leaf: client.cert, anchors: bob.leaf, purpose: 'sslclient', more })).toMatch(/unable to get/);
  });

  test("Python's cryptography takes client and host, the client also under its own CA alone", async () => {
    const { ca, server, client, ann } = credentials;
    const verify = async (kind: 'client' | 'server', chain: string, trust: string) => {
      const [chainFile, trustFile] = [await file(chain), await file(trust)];
      return (await run('/usr/bin/python3', ['-c', CRYPTOGRAPHY, kind, chainFile, trustFile])).stdout.trim();
    };
    if (caType === 'ed25519' || leafType === 'ed25519')
      return expect(verify('client', client.cert, ca.cert)).rejects.toThrow('Forbidden public key algorithm');
    expect(await verify('client', client.cert, ca.cert)).toBe('urn:docker-tls:client:ann');
    expect(await verify('server', server.cert, ca.cert)).toBe('build-1.example.com');
    expect(await verify('client', client.cert, ann.leaf)).toBe('urn:docker-tls:client:ann');
  });

  test("Python's default context, curl and Node shake hands, both sides with credentials", async () => {
    const { ca, server, client } = credentials;
    const [caFile, certFile, keyFile] = [
      await file(ca.cert),
      await file(client.cert),
      await file(client.key.revealText()),
    ];
    await withServer({ server, trust: ca.cert }, async (port) => {
      const { stdout: python } = await run('/usr/bin/python3', [
        '-c',
        PYTHON_CLIENT,
        `${port}`,
        caFile,
        certFile,
        keyFile,
      ]);
      expect(python.trim()).toBe('hello ann');
      for (const host of ['127.0.0.1', 'localhost', '[::1]']) {
        const args = [
          '-sS',
          '--max-time',
          '20',
          '--cacert',
          caFile,
          '--cert',
          certFile,
          '--key',
          keyFile,
          `https://${host}:${port}/`,
        ];
        const { stdout } = await run('curl', args);
        expect(stdout).toBe('hello ann');
      }
      expect(await nodeClient(port, { trust: ca.cert, client })).toBe('hello ann');
    });
  });

  test('the docker CLI gets through', async () => {
    const { ca, server, client } = credentials;
    const [caFile, certFile, keyFile] = [
      await file(ca.cert),
      await file(client.cert),
      await file(client.key.revealText()),
    ];
    await withServer({ server, trust: ca.cert }, async (port) => {
      for (const host of ['127.0.0.1', 'localhost']) {
        const args = [
          '--tlsverify',
          '--tlscacert',
          caFile,
          '--tlscert',
          certFile,
          '--tlskey',
          keyFile,
          '-H',
          `tcp://${host}:${port}`,
        ];
        const { stdout } = await run('docker', [...args, 'version', '--format', '{{.Server.Version}}'], {
          env: { ...process.env, DOCKER_CONFIG: directory },
        });
        expect(stdout.trim()).toBe('hello ann');
      }
    });
  });
});

describe('who gets in where', () => {
  let credentials: Credentials;
  beforeAll(async () => {
    credentials = await makeCredentials('p256', 'p256');
  });

  test("a host that trusts one client's own CA alone takes that client, and no other", async () => {
    const { ca, server, ann, client, bobClient } = credentials;
    await withStrictServer({ server, trust: ann.leaf }, async (port) => {
      expect(await nodeClient(port, { trust: ca.cert, client })).toBe('hello ann');
      await expect(nodeClient(port, { trust: ca.cert, client: bobClient })).rejects.toThrow(/unknown ca|UNKNOWN_CA/i);
      await expect(nodeClient(port, { trust: ca.cert })).rejects.toThrow(/certificate.required|handshake failure/i);
    });
    for (const [leaf, answer] of [
      [client.cert, true],
      [bobClient.cert, false],
    ] as const) {
      expect(verifyChain({ leaf, anchors: [ann.leaf], purpose: 'client', now }).ok).toBe(answer);
    }
  });

  test("an untrusted client's credentials, a server's and an expired client's are refused", async () => {
    const { ca, server, ann } = credentials;
    const untrusted = await issueCa({ name: 'Stranger', days: 10, now });
    const past = new Date(now.getTime() - 500 * 86_400_000);
    const old = await issueCa({ name: 'Old', days: 3650, now: past });
    const refused = [
      await issueClient({ authority: untrusted, name: 'ann', days: 1, now }),
      server,
      await issueClient({ authority: old, name: 'ann', days: 90, now: past }),
      // Signed by a client's CA: it may sign only client certificates.
      await issueServer({ ca: ann, sans, days: 1, now }),
    ];
    await withStrictServer({ server, trust: ca.cert + old.cert }, async (port) => {
      for (const client of refused)
        await expect(nodeClient(port, { trust: ca.cert, client })).rejects.toThrow(/alert/i);
    });
  });

  test('through the change of a CA, old and new clients get in, and both trust the host', async () => {
    const { ca, client } = credentials;
    const fresh = await issueCa({ name: 'New', days: 3650, now });
    const bridge = await crossSign({ ca: fresh, issuer: ca, days: 90, now });
    const server = await issueServer({ ca: fresh, sans, days: 90, now });
    const freshClient = await issueClient({ authority: fresh, name: 'ann', days: 90, now });
    expect(await opensslVerify({ leaf: server.cert + bridge.leaf, anchors: ca.cert, purpose: 'sslserver' })).toBe('OK');
    expect(await opensslVerify({ leaf: server.cert + bridge.leaf, anchors: fresh.cert, purpose: 'sslserver' })).toBe(
      'OK',
    );
    await withStrictServer(
      { server: { ...server, cert: server.cert + bridge.leaf }, trust: ca.cert + fresh.cert },
      async (port) => {
        expect(await nodeClient(port, { trust: ca.cert, client })).toBe('hello ann');
        expect(await nodeClient(port, { trust: fresh.cert, client: freshClient })).toBe('hello ann');
      },
    );
  });

  test('an intermediate as CA: the host serves it, clients trust the root', async () => {
    const root = await issueCa({ name: 'Root', days: 3650, now });
    const ca = await issueCa({ name: 'Middle', days: 1000, now, issuer: root });
    const server = await issueServer({ ca, sans, days: 90, now });
    const authority = await issueClientAuthority({ ca, clientName: 'ann', days: 90, now });
    const client = await issueClient({ authority, name: 'ann', days: 90, now });
    expect(await opensslVerify({ leaf: server.cert, anchors: root.cert, purpose: 'sslserver' })).toBe('OK');
    expect(await opensslVerify({ leaf: client.cert, anchors: root.cert, purpose: 'sslclient' })).toBe('OK');
    await withStrictServer({ server, trust: root.cert }, async (port) => {
      expect(await nodeClient(port, { trust: root.cert, client })).toBe('hello ann');
    });
  });
});

/** Greets a client by its common name over HTTP, after a handshake that requires a client certificate. */
async function withServer(
  credentials: { server: { cert: string; key: IssuedPair['key'] }; trust: string },
  use: (port: number) => Promise<void>,
): Promise<void> {
  const { server: own, trust } = credentials;
  const server = https.createServer(
    { cert: own.cert, key: own.key.reveal(), ca: trust, requestCert: true, rejectUnauthorized: true },
    (request, response) => {
      const { CN } = (request.socket as tls.TLSSocket).getPeerCertificate().subject;
      response.setHeader('Connection', 'close').setHeader('Api-Version', '1.41');
      // The docker CLI asks for the version; any other request gets the greeting.
      const isVersion = request.url?.endsWith('/version') === true;
      response.end(isVersion ? JSON.stringify({ Version: `hello ${CN}`, ApiVersion: '1.41' }) : `hello ${CN}`);
    },
  );
  server.on('tlsClientError', () => undefined);
  // Without a host: dual stack, so that 127.0.0.1, localhost and ::1 all reach it.
  await new Promise<void>((resolve) => server.listen(0, '::', resolve));
  try {
    await use((server.address() as AddressInfo).port);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Also reads: under TLS 1.3 a refused client notices only then. */
function nodeClient(
  port: number,
  credentials: { trust: string; client?: { cert: string; key: IssuedPair['key'] } },
): Promise<string> {
  const { trust, client } = credentials;
  const own = client === undefined ? {} : { cert: client.cert, key: client.key.reveal() };
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: '127.0.0.1', port, ca: trust, ...own }, () =>
      socket.write('GET / HTTP/1.0\r\n\r\n'),
    );
    let answer = '';
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text;
    });
    socket.on('error', reject);
    socket.on('end', () => resolve(answer.split('\r\n\r\n')[1] ?? ''));
  });
}

const PYTHON_CLIENT = `
import socket, ssl, sys
port, ca, cert, key = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
if sys.version_info >= (3, 13):
    assert context.verify_flags & ssl.VERIFY_X509_STRICT
context.load_cert_chain(cert, key)
for host in ("127.0.0.1", "::1"):
    with socket.create_connection((host, int(port))) as plain:
        with context.wrap_socket(plain, server_hostname=host) as wrapped:
            wrapped.sendall(b"GET / HTTP/1.0\\r\\n\\r\\n")
            answer = b""
            while chunk := wrapped.recv(4096):
                answer += chunk
print(answer.decode().split("\\r\\n\\r\\n")[1])
`;
