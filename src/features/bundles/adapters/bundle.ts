/**
 * Single-piece forms of a client's credentials: a tar archive for another machine, one PEM text, and lines of NAME=base64 for the secrets
 * of a CI system. Pure. ../domain/pkcs12.ts has PKCS#12.
 */

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { certificatesOf } from '../../../core/adapters/docker/served.ts';
import { fieldsOf, isObject, parseJson } from '../../../core/domain/json.ts';
import { inspectCertificate, splitBundle } from '../../../core/domain/pki/inspect.ts';
import { isEncrypted, keyMatches } from '../../../core/domain/pki/keys.ts';
import { pemBlocks } from '../../../core/domain/pki/pem.ts';
import { Secret } from '../../../core/domain/secret.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { packTar } from '../../../formats/tar.ts';
import { unpackTar } from './unpack-tar.ts';

type BundleHost = {
  /** The sender's name for the host. */
  readonly name: string;
  /** Its DOCKER_HOST, `tcp://…`. */
  readonly host: string;
};

/** A bundle without a key answers a request whose key never left the other machine. */
export type ClientBundle = {
  readonly client: string;
  readonly hosts: readonly BundleHost[];
  readonly ca: string;
  readonly cert: string;
  readonly key?: Secret;
};

const MANIFEST = 'docker-tls.json';
const NAMES = [MANIFEST, 'ca.pem', 'cert.pem', 'key.pem'] as const;
const MAX_FILE_BYTES = 256 * 1024;
const MAX_HOSTS = 10_000;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}$/;

/** One tar archive: docker-tls.json (client and hosts), ca.pem, cert.pem and, if present, key.pem. `now` is the files' time. */
export function packBundle(bundle: ClientBundle, now: Date): Secret {
  const manifest = { schema: 1, client: bundle.client, hosts: bundle.hosts.map(({ name, host }) => ({ name, host })) };
  const files = [
    { name: MANIFEST, data: Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`), mode: 0o444 },
    { name: 'ca.pem', data: Buffer.from(bundle.ca), mode: 0o444 },
    { name: 'cert.pem', data: Buffer.from(bundle.cert), mode: 0o444 },
    ...(bundle.key === undefined ? [] : [{ name: 'key.pem', data: bundle.key.reveal(), mode: 0o400 }]),
  ];
  return new Secret(packTar(files, now));
}

/**
 * Unpacks the archive of packBundle. It comes from another machine, so everything is checked: only known small files without paths, valid
 * certificates, a key that matches, tcp:// addresses of hosts. Fails with E_BUNDLE (exit 2).
 */
export function unpackBundle(archive: Uint8Array): ClientBundle {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  const files = unpackTar(bytes, { names: NAMES, maxFileBytes: MAX_FILE_BYTES });
  if (typeof files === 'string') throw broken(files);
  const text = (name: (typeof NAMES)[number]): string => {
    const data = files.get(name);
    if (data === undefined) throw broken(`${name} is missing`);
    return data.toString('utf8');
  };
  const key = files.get('key.pem');
  const credentials = checkCredentials(
    text('ca.pem'),
    text('cert.pem'),
    key === undefined ? undefined : new Secret(Buffer.from(key)),
  );
  return { ...parseManifest(text(MANIFEST)), ...credentials };
}

/** Key, certificate with its chain, and CA as one PEM text, as curl's --cert and many libraries take it. */
export function renderBundlePem(bundle: ClientBundle): Secret {
  const parts = [bundle.key?.revealText() ?? '', bundle.cert, bundle.ca];
  return new Secret(
    parts
      .filter((part) => part !== '')
      .map(endLine)
      .join(''),
  );
}

/**
 * Lines for the secrets of a CI system, NAME=VALUE, without quotes. DOCKER_TLS_CA, DOCKER_TLS_CERT and DOCKER_TLS_KEY hold the files as
 * base64 on one line each; DOCKER_HOST appears only if the bundle has exactly one host. docs/clients.md shows their use in a job.
 */
export function renderBundleEnv(bundle: ClientBundle): Secret {
  const [host, ...others] = bundle.hosts;
  const lines = [
    ...(host !== undefined && others.length === 0 ? [`DOCKER_HOST=${host.host}`] : []),
    'DOCKER_TLS_VERIFY=1',
    `DOCKER_TLS_CA=${base64(bundle.ca)}`,
    `DOCKER_TLS_CERT=${base64(bundle.cert)}`,
    ...(bundle.key === undefined ? [] : [`DOCKER_TLS_KEY=${bundle.key.reveal().toString('base64')}`]),
  ];
  return new Secret(`${lines.join('\n')}\n`);
}

/** The credentials in such variables, checked like those of unpackBundle; undefined without any. Fails with E_BUNDLE. */
export function parseBundleEnv(
  env: Readonly<Record<string, string | undefined>>,
): Pick<ClientBundle, 'ca' | 'cert' | 'key'> | undefined {
  const { DOCKER_TLS_CA: ca, DOCKER_TLS_CERT: cert, DOCKER_TLS_KEY: key } = env;
  if (ca === undefined && cert === undefined && key === undefined) return undefined;
  if (ca === undefined || cert === undefined) throw broken('DOCKER_TLS_CA and DOCKER_TLS_CERT are needed both');
  return checkCredentials(
    unbase64('DOCKER_TLS_CA', ca).toString('utf8'),
    unbase64('DOCKER_TLS_CERT', cert).toString('utf8'),
    key === undefined ? undefined : new Secret(unbase64('DOCKER_TLS_KEY', key)),
  );
}

function checkCredentials(
  ca: string,
  cert: string,
  key: Secret | undefined,
): Pick<ClientBundle, 'ca' | 'cert' | 'key'> {
  checkCertificates('ca.pem', ca);
  checkCertificates('cert.pem', cert);
  if (key === undefined) return { ca, cert };
  let fits: boolean;
  try {
    fits = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key.revealText()));
  } catch {
    // No cause: OpenSSL's errors may quote the key's text.
    throw broken('key.pem is not a private key');
  }
  if (!fits) throw broken('key.pem and cert.pem do not belong together');
  return { ca, cert, key };
}

function checkCertificates(name: string, pem: string): void {
  const blocks = pem.match(/-----BEGIN [^-]*-----/g) ?? [];
  const certificates = certificatesOf(pem);
  if (certificates.length === 0 || certificates.length !== blocks.length) {
    throw broken(`${name} does not hold certificates alone`);
  }
}

function parseManifest(text: string): Pick<ClientBundle, 'client' | 'hosts'> {
  const manifest = parseJson(text);
  if (!isObject(manifest)) throw broken(`${MANIFEST} is not a JSON object`);
  if (manifest.schema !== 1) throw broken(`${MANIFEST} is not of schema 1: a newer docker-tls may have made it`);
  const { client, hosts } = manifest;
  if (typeof client !== 'string' || !NAME.test(client)) throw broken(`${MANIFEST} does not name a client`);
  if (!Array.isArray(hosts) || hosts.length > MAX_HOSTS) throw broken(`${MANIFEST} has no list of hosts`);
  return { client, hosts: hosts.map(parseHost) };
}

function parseHost(value: unknown): BundleHost {
  const { name, host } = fieldsOf(value);
  if (typeof name !== 'string' || !NAME.test(name)) throw broken(`${MANIFEST} has a host without a name`);
  if (typeof host !== 'string' || !isTcp(host))
    throw broken(`${MANIFEST} has a host whose address is not tcp://…:PORT`);
  return { name, host };
}

function isTcp(host: string): boolean {
  return /^tcp:\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+(?:%25[A-Za-z0-9._-]+)?\]):[0-9]{1,5}$/.test(host);
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function unbase64(name: string, text: string): Buffer {
  const bare = text.replace(/\s/g, '');
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(bare)) throw broken(`${name} is not base64`);
  return Buffer.from(bare, 'base64');
}

function endLine(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}

function broken(why: string): DockerTlsError {
  return new DockerTlsError('E_BUNDLE', `this is not a bundle of a client's credentials: ${why}`, {
    hints: ['docker-tls client export NAME', 'tar -tvf FILE'],
  });
}

type PemBundle = Pick<ClientBundle, 'ca' | 'cert' | 'key'>;

/**
 * Plain PEM from other tools: certificate, optionally with key, chain and CA, in any order. The client's certificate is the one that matches the key, or else the first that is not a CA. `ca` (PEM): verifies the hosts'
 * certificates; default: the roots in the text. undefined: no certificate. Fails with E_BUNDLE (exit 2).
 */
export function parsePemBundle(text: string, ca?: string): PemBundle | undefined {
  const certificates = [...new Set(splitBundle(text))].map((pem) => ({ pem, info: inspectCertificate(pem) }));
  if (certificates.length === 0) return undefined;
  const keys = pemBlocks(text).blocks.filter(({ label }) => label.endsWith('PRIVATE KEY'));
  if (keys.length > 1) throw unusable('it holds several keys');
  const key = keys[0] === undefined ? undefined : new Secret(`${keys[0].text}\n`);
  if (key !== undefined && isEncrypted(key))
    throw unusable('its key is encrypted', ['openssl pkey -in FILE | cat - CERTIFICATES | docker-tls client import -']);
  const own = certificates.find(({ pem, info }) => (key === undefined ? !info.isCa : keyMatches(pem, key)));
  if (own === undefined)
    throw unusable(key === undefined ? 'it holds CAs alone' : 'its key belongs to none of its certificates');
  const roots =
    ca === undefined
      ? certificates.filter(({ info }) => info.selfIssued && info.isCa).map(({ pem }) => pem)
      : splitBundle(ca);
  if (roots.length === 0)
    throw unusable('the CA that hosts are verified against is not in it', [
      'docker-tls client import FILE --ca ca.pem',
    ]);
  const chain = certificates.filter((one) => one !== own && !roots.includes(one.pem)).map(({ pem }) => pem);
  return { ca: roots.join(''), cert: [own.pem, ...chain].join(''), key };
}

function unusable(why: string, hints: readonly string[] = ['openssl x509 -noout -text -in FILE']): DockerTlsError {
  return new DockerTlsError('E_BUNDLE', `these are not the credentials of one client: ${why}`, { hints });
}
