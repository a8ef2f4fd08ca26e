import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Secret } from '../../../../src/core/domain/secret.ts';
import {
  packBundle,
  parseBundleEnv,
  renderBundleEnv,
  renderBundlePem,
  unpackBundle,
} from '../../../../src/features/bundles/adapters/bundle.ts';
import { packTar } from '../../../../src/formats/tar.ts';
import { CertificateFactory } from '../../../support/certificate-factory.ts';

const factory = new CertificateFactory();
const ca = factory.issue('ca', { ca: true });
const issuing = factory.issue('issuing CA of laptop', { by: ca, ca: true });
const client = factory.chained(factory.issue('laptop', { by: issuing, usage: 'clientAuth' }), issuing);
const now = new Date('2026-01-02T03:04:05Z');
const hosts = [
  { name: 'build-1', host: 'tcp://10.0.0.7:2376' },
  { name: 'build-6', host: 'tcp://[2001:db8::6]:2376' },
];
const bundle = { client: 'laptop', hosts, ca: ca.cert, cert: client.cert, key: new Secret(client.key) };
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-bundle-'));
afterAll(() => {
  factory.remove();
  rmSync(directory, { recursive: true, force: true });
});

const files = {
  'docker-tls.json': JSON.stringify({ schema: 1, client: 'laptop', hosts }),
  'ca.pem': ca.cert,
  'cert.pem': client.cert,
  'key.pem': client.key,
};

function archive(change: Readonly<Record<string, string | undefined>>): Buffer {
  const entries = Object.entries({ ...files, ...change }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return packTar(
    entries.map(([name, text]) => ({ name, data: Buffer.from(text), mode: 0o400 })),
    now,
  );
}

function revealed(unpacked: ReturnType<typeof unpackBundle>): object {
  return { ...unpacked, key: unpacked.key?.revealText() };
}

/** The archive with one changed header and a corrected checksum. */
function patched(at: number, text: string): Buffer {
  const bytes = Buffer.from(packBundle(bundle, now).reveal());
  bytes.write(text, at, 'latin1');
  bytes.fill(' ', 148, 156);
  const sum = bytes.subarray(0, 512).reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return bytes;
}

describe('the tar form', () => {
  it('comes back as it went, with and without a key, and prints no key', () => {
    expect(revealed(unpackBundle(packBundle(bundle, now).reveal()))).toEqual({ ...bundle, key: client.key });
    const { key: _key, ...keyless } = bundle;
    expect(unpackBundle(packBundle(keyless, now).reveal())).toEqual(keyless);
    expect(
      JSON.stringify({ packed: packBundle(bundle, now), unpacked: unpackBundle(packBundle(bundle, now).reveal()) }),
    ).not.toContain('PRIVATE');
  });

  it('is read by tar with names and modes, and what tar makes of the files is read', () => {
    writeFileSync(join(directory, 'b.tar'), packBundle(bundle, now).reveal());
    mkdirSync(join(directory, 'out'));
    execFileSync('tar', ['-xpf', '../b.tar'], { cwd: join(directory, 'out') });
    expect(readFileSync(join(directory, 'out', 'key.pem'), 'utf8')).toBe(client.key);
    expect(statSync(join(directory, 'out', 'key.pem')).mode & 0o777).toBe(0o400);
    expect(statSync(join(directory, 'out', 'cert.pem')).mode & 0o777).toBe(0o444);
    for (const format of ['gnu', 'ustar']) {
      execFileSync('tar', [`--format=${format}`, '-cf', '../c.tar', ...Object.keys(files)], {
        cwd: join(directory, 'out'),
      });
      expect(revealed(unpackBundle(readFileSync(join(directory, 'c.tar'))))).toEqual({ ...bundle, key: client.key });
    }
    symlinkSync('key.pem', join(directory, 'out', 'ca.pem.link'));
    execFileSync('tar', ['-cf', '../c.tar', '--transform', 's/.link//', 'ca.pem.link'], {
      cwd: join(directory, 'out'),
    });
    expect(() => unpackBundle(readFileSync(join(directory, 'c.tar')))).toThrow(expect.toSay('plain-files'));
  });

  const packed = (): Buffer => Buffer.from(packBundle(bundle, now).reveal());
  const bad: [string, () => Uint8Array, unknown][] = [
    ['nothing', () => Buffer.alloc(0), expect.stringContaining('truncated')],
    ['a text', () => Buffer.from('x'.repeat(2000)), expect.toSay('not-tar-archive')],
    ['a cut archive', () => packed().subarray(0, 700), expect.stringContaining('truncated')],
    ['an archive without its end', () => packed().subarray(0, -1024), expect.stringContaining('truncated')],
    [
      'something after the end',
      () => Buffer.concat([packed(), Buffer.from('x'.repeat(512))]),
      expect.toSay('after-end'),
    ],
    ['a changed byte in a header', () => Buffer.from(packed().fill(0x61, 3, 4)), expect.stringContaining('checksum')],
    ['a path', () => archive({ '../ca.pem': ca.cert }), expect.toSay('does-not-belong')],
    ['an absolute path', () => archive({ '/etc/passwd': 'x' }), expect.toSay('does-not-belong')],
    ['a prefix', () => patched(345, 'etc'), expect.toSay('link-path')],
    ['a symbolic link', () => patched(156, '2'), expect.toSay('plain-files')],
    ['a link name', () => patched(157, '/etc/shadow'), expect.toSay('link-path')],
    ['a size that is no number', () => patched(124, '9z'), expect.stringContaining('size')],
    ['a size beyond the end', () => patched(124, '00000700000'), expect.stringContaining('truncated')],
    [
      'a file that is too large',
      () => archive({ 'ca.pem': ca.cert.repeat(1000) }),
      expect.stringContaining('larger than'),
    ],
    ['no CA', () => archive({ 'ca.pem': undefined }), expect.stringContaining('ca.pem is missing')],
    ['a CA that is none', () => archive({ 'ca.pem': 'x' }), expect.toSay('pem-does-not-hold')],
    [
      'a key where certificates belong',
      () => archive({ 'cert.pem': `${client.cert}${client.key}` }),
      expect.stringContaining('certificates alone'),
    ],
    ['a key that is none', () => archive({ 'key.pem': 'x' }), expect.toSay('not-private-key')],
    ["another client's key", () => archive({ 'key.pem': ca.key }), expect.toSay('do-not-belong-together')],
    ['a manifest that is no JSON', () => archive({ 'docker-tls.json': '{' }), expect.toSay('not-json-object')],
    ['a newer schema', () => archive({ 'docker-tls.json': '{"schema":2}' }), expect.stringContaining('schema 1')],
    [
      'a client name with a path',
      () => archive({ 'docker-tls.json': '{"schema":1,"client":"../x","hosts":[]}' }),
      expect.toSay('name-client'),
    ],
    ['no hosts', () => archive({ 'docker-tls.json': '{"schema":1,"client":"x"}' }), expect.toSay('list-hosts')],
    [
      'a host name with a path',
      () =>
        archive({
          'docker-tls.json': '{"schema":1,"client":"x","hosts":[{"name":"../a","host":"tcp://10.0.0.1:2376"}]}',
        }),
      expect.toSay('without-name'),
    ],
    [
      'a host that would run a program',
      () =>
        archive({
          'docker-tls.json': '{"schema":1,"client":"x","hosts":[{"name":"a","host":"ssh://-oProxyCommand=x"}]}',
        }),
      expect.stringContaining('not tcp://'),
    ],
  ];
  it.each(bad)('refuses %s', (_what, make, why) => {
    expect(() => unpackBundle(make())).toThrow(expect.objectContaining({ code: 'E_BUNDLE', exit: 2, message: why }));
  });

  it('refuses a file twice', () => {
    const twice = ['ca.pem', 'ca.pem'].map((name) => ({ name, data: Buffer.from(ca.cert), mode: 0o444 }));
    expect(() => unpackBundle(packTar(twice, now))).toThrow('twice');
  });
});

describe('the other forms', () => {
  it('one PEM text that openssl reads: the key, the chain, the CA', () => {
    const text = renderBundlePem(bundle).revealText();
    expect(text).toBe(client.key + client.cert + ca.cert);
    const file = join(directory, 'one.pem');
    writeFileSync(file, text, { mode: 0o400 });
    expect(execFileSync('openssl', ['x509', '-in', file, '-noout', '-subject'], { encoding: 'utf8' })).toContain(
      'laptop',
    );
    execFileSync('openssl', ['pkey', '-in', file, '-noout']);
  });

  it('lines for CI secrets, which come back and are read by base64', () => {
    const text = renderBundleEnv({ ...bundle, hosts: hosts.slice(0, 1) }).revealText();
    const env = Object.fromEntries(
      text
        .trimEnd()
        .split('\n')
        .map((line) => [line.split('=', 1)[0], line.slice(line.indexOf('=') + 1)]),
    );
    expect(Object.keys(env)).toEqual([
      'DOCKER_HOST',
      'DOCKER_TLS_VERIFY',
      'DOCKER_TLS_CA',
      'DOCKER_TLS_CERT',
      'DOCKER_TLS_KEY',
    ]);
    expect(env.DOCKER_HOST).toBe('tcp://10.0.0.7:2376');
    const key = execFileSync('sh', ['-c', 'printf %s "$DOCKER_TLS_KEY" | base64 -d'], {
      env: { ...env, PATH: process.env.PATH },
    });
    expect(key.toString()).toBe(client.key);
    expect({ ...parseBundleEnv(env), key: parseBundleEnv(env)?.key?.revealText() }).toEqual({
      ca: ca.cert,
      cert: client.cert,
      key: client.key,
    });
    expect(renderBundleEnv(bundle).revealText()).not.toContain('DOCKER_HOST');
  });

  it('variables that are missing or broken', () => {
    expect(parseBundleEnv({ DOCKER_HOST: 'x' })).toBeUndefined();
    const ok = { DOCKER_TLS_CA: btoa(ca.cert), DOCKER_TLS_CERT: btoa(client.cert) };
    expect(parseBundleEnv(ok)).toEqual({ ca: ca.cert, cert: client.cert });
    expect(() => parseBundleEnv({ DOCKER_TLS_CA: ok.DOCKER_TLS_CA })).toThrow('needed both');
    expect(() => parseBundleEnv({ ...ok, DOCKER_TLS_KEY: '-----BEGIN' })).toThrow('DOCKER_TLS_KEY is not base64');
    expect(() => parseBundleEnv({ ...ok, DOCKER_TLS_KEY: btoa(ca.key) })).toThrow(
      expect.toSay('do-not-belong-together'),
    );
  });
});
