/**
 * External CAs for tests: real step-ca and cfssl servers from Debian's packages, and a stand-in for Vault's PKI API. Each has profiles for
 * servers, clients and clients' issuing CAs, over HTTPS on this machine.
 */

import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { CertificateFactory, Issued } from '../../../support/certificate-factory.ts';
import { ownPort } from '../../../support/ports.ts';

export type ExternalServer = {
  readonly url: string;
  readonly root: Issued;
  readonly intermediate: Issued;
  /** Arguments for `ca import`. */
  readonly args: readonly string[];
  /** Number of certificate requests so far. */
  requests(): number;
  /** Resolves once nothing listens there. */
  stop(): Promise<void>;
};

const DAYS = 300;
const PROFILES = { server: 'docker-server', client: 'docker-client', issuer: 'docker-issuer' } as const;

function hierarchy(factory: CertificateFactory): { root: Issued; intermediate: Issued; tls: Issued } {
  const root = factory.issue('Company root', { ca: true, to: DAYS + 1 });
  const intermediate = factory.issue('Company intermediate', { ca: true, pathLen: 1, by: root, to: DAYS });
  const tls = factory.chained(
    factory.issue('ca', { by: intermediate, san: 'IP:127.0.0.1', usage: 'serverAuth' }),
    intermediate,
  );
  return { root, intermediate, tls };
}

function importArgs(
  kind: string,
  url: string,
  chain: { root: Issued; intermediate: Issued },
  secret: string,
): string[] {
  const { root, intermediate } = chain;
  const certs = ['--cert', intermediate.certFile, '--chain', root.certFile, '--whole-chain'];
  return [...certs, `--${kind}`, url, '--credential-file', secret];
}

/** The program: built once per machine in 50 s, and cached with the lab's roots. */
export async function buildStepCa(): Promise<string> {
  const program = join(process.env.DOCKER_TLS_LAB ?? '/var/lib/docker-tls-lab', 'step-ca');
  const source = fileURLToPath(new URL('step-ca/main.go', import.meta.url));
  if (existsSync(program)) return program;
  const fresh = `${program}.${process.pid}`;
  mkdirSync(join(program, '..'), { recursive: true });
  await promisify(execFile)('go', ['build', '-ldflags=-s -w', '-o', fresh, source], {
    env: { ...process.env, CGO_ENABLED: '0', GO111MODULE: 'off', GOPATH: '/usr/share/gocode' },
  });
  renameSync(fresh, program);
  return program;
}

/** A provisioner's key pair as made and encrypted by step's own library (go.step.sm/crypto/jose). */
export const STEP_KEY = {
  public: {
    ...{ use: 'sig', kty: 'EC', crv: 'P-256', alg: 'ES256', kid: '6le-vY5lh6tEJIuBFrjB1g2hK7ZZxtwqJ6S6S8pO0s4' },
    x: '2wL__kl5ix7lZM2gRokj-jc9X4A51NWP6T1780gnmqI',
    y: '925sv3VQrkBKaKb8Auyqledr8Msmx1uF-rnXCFnlIqc',
  },
  encrypted: {
    protected:
      'eyJhbGciOiJQQkVTMi1IUzI1NitBMTI4S1ciLCJjdHkiOiJqd2sranNvbiIsImVuYyI6IkEyNTZHQ00iLCJwMmMiOjYwMDAwMCwicDJzIjoiTjM4YTRSWmNuVTB2bzQ3LTJMV0EwZyJ9',
    encrypted_key: 'Fj3Zkv3HPwdYY_7bN80IwjWtK2KSJLle4wS_fHJ9PY9DtMVxUHqqTQ',
    iv: 'BTMqKER_WdLSf25A',
    ciphertext:
      'J10vZobxEL33OdALB2BDMwnnBcZmPgW32WaBxVc8g0KAQRjXN4YB1_wfC5his7pcyzoa6pZ03uqli8R4T7WEHK3NjPEWquT53XzEqzpzc13URSGY-nc84N--42OGutBSOxFLIb_i_rZe7K4MzkMhHQQWd-0qHR4uC75yAXTwb9r-GzJBh3R7Wh2w83ni90AjKFA-tf463tgupAQkN--67jOZKUKhlUmrMaDHUg7itSz1Lii_k8ak5HxbR8pk98aTajMwK0fQWm77gv-RR6Df6yy084PsQpO-zUkmwBlf3f5V75hAzQsuJIKBUYpKxWC-AoNnxr1manvsHR-pW2E',
    tag: 'h1U_RogPVi7QtE0VIgt5YQ',
  },
  passphrase: 'correct horse battery',
} as const;

export type StepCaOptions = {
  /** Longest certificate lifetime; default: 10 years. */
  readonly maxDuration?: string;
  /** Without the profile for issuing CAs. */
  readonly leafOnly?: boolean;
};

export async function startStepCa(factory: CertificateFactory, options: StepCaOptions = {}): Promise<ExternalServer> {
  const chain = hierarchy(factory);
  const port = await ownPort();
  const secret = join(factory.directory, `provisioner-${port}.jwk`);
  const words = join(factory.directory, `words-${port}`);
  writeFileSync(secret, JSON.stringify(STEP_KEY.encrypted), { mode: 0o600 });
  writeFileSync(words, `${STEP_KEY.passphrase}\n`, { mode: 0o600 });
  const leaf = (usage: string) =>
    `{"subject": {{ toJson .Subject }}, "sans": {{ toJson .SANs }}, "keyUsage": ["digitalSignature"], "extKeyUsage": ["${usage}"]}`;
  const templates = {
    server: leaf('serverAuth'),
    client: leaf('clientAuth'),
    issuer:
      '{"subject": {{ toJson .Subject }}, "keyUsage": ["certSign", "crlSign"], "extKeyUsage": ["clientAuth"], "basicConstraints": {"isCA": true, "maxPathLen": 0}}',
  };
  const durations = { maxTLSCertDuration: options.maxDuration ?? '87600h', defaultTLSCertDuration: '24h' };
  const config = {
    root: chain.root.certFile,
    crt: chain.intermediate.certFile,
    key: chain.intermediate.keyFile,
    address: `127.0.0.1:${port}`,
    dnsNames: ['127.0.0.1'],
    logger: { format: 'json' },
    authority: {
      provisioners: (['server', 'client', 'issuer'] as const)
        .filter((profile) => profile !== 'issuer' || !options.leafOnly)
        .map((profile) => ({
          ...{ type: 'JWK', name: PROFILES[profile], key: STEP_KEY.public, claims: durations },
          options: { x509: { template: templates[profile] } },
        })),
    },
  };
  const file = join(factory.directory, `step-ca-${port}.json`);
  writeFileSync(file, JSON.stringify(config));
  const server = await started(await buildStepCa(), [file], port);
  const url = `https://127.0.0.1:${port}`;
  const args = [...importArgs('step-ca', url, chain, secret), '--passphrase-file', words];
  return { url, ...chain, args, requests: () => server.count(/"path":"\/1.0\/sign"/g), stop: server.stop };
}

export async function startCfssl(factory: CertificateFactory): Promise<ExternalServer> {
  const chain = hierarchy(factory);
  const port = await ownPort();
  const key = randomBytes(32).toString('hex');
  const secret = join(factory.directory, `cfssl-${port}.hex`);
  writeFileSync(secret, `${key}\n`, { mode: 0o600 });
  const profile = (usages: string[], more: object = {}) => ({
    usages,
    expiry: '2400h',
    auth_key: 'docker-tls',
    ...more,
  });
  const constraint = { is_ca: true, max_path_len: 0, max_path_len_zero: true };
  const config = {
    auth_keys: { 'docker-tls': { type: 'standard', key } },
    signing: {
      default: { expiry: '1h', usages: ['digital signature'], auth_key: 'docker-tls' },
      profiles: {
        'docker-server': profile(['digital signature', 'server auth']),
        'docker-client': profile(['digital signature', 'client auth']),
        'docker-issuer': profile(['cert sign', 'crl sign', 'client auth'], { ca_constraint: constraint }),
      },
    },
  };
  const file = join(factory.directory, `cfssl-${port}.json`);
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  const { certFile, keyFile } = chain.intermediate;
  const tls = ['-tls-cert', chain.tls.certFile, '-tls-key', chain.tls.keyFile];
  const words = ['serve', '-address', '127.0.0.1', '-port', String(port), '-config', file, '-loglevel', '0'];
  const server = await started('cfssl', [...words, '-ca', certFile, '-ca-key', keyFile, ...tls], port);
  const url = `https://127.0.0.1:${port}`;
  const args = importArgs('cfssl', url, chain, secret);
  return { url, ...chain, args, requests: () => server.count(/signature request received/g), stop: server.stop };
}

/**
 * Stand-in for Vault, strict about its documentation of `sign/ROLE` and `root/sign-intermediate`. Refuses a request with undocumented
 * fields, types or paths.
 */
export async function startVault(factory: CertificateFactory): Promise<ExternalServer> {
  const chain = hierarchy(factory);
  const token = `hvs.${randomBytes(12).toString('hex')}`;
  const secret = join(factory.directory, `${token.slice(-8)}.token`);
  writeFileSync(secret, `${token}\n`, { mode: 0o600 });
  let count = 0;
  const tls = { cert: readFileSync(chain.tls.certFile), key: readFileSync(chain.tls.keyFile) };
  const server = createServer(tls, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      count += 1;
      const answer = (status: number, body: object) => response.writeHead(status).end(JSON.stringify(body));
      if (request.headers['x-vault-token'] !== token) return answer(403, { errors: ['permission denied'] });
      const path = /^\/v1\/pki\/(sign\/docker-(server|client)|root\/sign-intermediate)$/.exec(request.url ?? '');
      if (request.method !== 'POST' || path === null) return answer(404, { errors: [`no handler for ${request.url}`] });
      try {
        const certificate = vaultSign(
          JSON.parse(Buffer.concat(chunks).toString()),
          path[2],
          chain.intermediate,
          factory,
        );
        const ca_chain = [chain.intermediate.cert, chain.root.cert];
        answer(200, { data: { certificate, issuing_ca: chain.intermediate.cert, ca_chain } });
      } catch (error) {
        answer(400, { errors: [(error as Error).message] });
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const url = `https://127.0.0.1:${port}/v1/pki`;
  return {
    ...{ url, ...chain, args: importArgs('vault', url, chain, secret) },
    requests: () => count,
    stop: async () => void server.close(),
  };
}

const VAULT_LEAF = {
  csr: '',
  common_name: '',
  ttl: '',
  format: 'pem',
  alt_names: '',
  ip_sans: '',
  exclude_cn_from_sans: true,
};
const VAULT_ISSUER = { csr: '', common_name: '', ttl: '', format: 'pem', use_csr_values: true, max_path_length: 0 };

function vaultSign(
  body: Record<string, unknown>,
  role: string | undefined,
  by: Issued,
  { directory }: CertificateFactory,
): string {
  const known: Record<string, unknown> = role === undefined ? VAULT_ISSUER : VAULT_LEAF;
  for (const [name, value] of Object.entries(body))
    if (typeof value !== typeof known[name]) throw new Error(`field ${name} has no or another type here`);
  if (!/^[1-9]\d*h$/.test(String(body.ttl)) || body.format !== 'pem') throw new Error('ttl or format is wrong');
  const base = join(directory, randomBytes(6).toString('hex'));
  writeFileSync(`${base}.csr`, String(body.csr));
  const names = [
    ...String(body.alt_names ?? '')
      .split(',')
      .filter(Boolean)
      .map((name) => `DNS:${name}`),
    ...String(body.ip_sans ?? '')
      .split(',')
      .filter(Boolean)
      .map((name) => `IP:${name}`),
  ].join(',');
  const extensions =
    role === undefined
      ? ['-copy_extensions', 'copy']
      : ['-extfile', `${base}.ext`, ...(body.common_name ? ['-set_subject', `/CN=${body.common_name}`] : [])];
  const san = names === '' ? '' : `subjectAltName=${names}\n`;
  writeFileSync(`${base}.ext`, `keyUsage=critical,digitalSignature\nextendedKeyUsage=${role}Auth\n${san}`);
  const days = String(Math.floor(Number(String(body.ttl).slice(0, -1)) / 24));
  const signer = ['-CA', by.certFile, '-CAkey', by.keyFile, '-days', days];
  return execFileSync('openssl', ['x509', '-req', '-in', `${base}.csr`, ...signer, ...extensions], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

async function started(
  file: string,
  args: readonly string[],
  port: number,
): Promise<{ count(what: RegExp): number; stop(): Promise<void> }> {
  const child: ChildProcess = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      log += text;
    });
  const ended = new Promise<never>((_, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`${file} ended with ${code}\n${log}`)));
  });
  ended.catch(() => {});
  process.once('exit', () => child.kill());
  await Promise.race([ended, listening(port)]);
  return {
    count: (what) => log.match(what)?.length ?? 0,
    async stop() {
      child.kill('SIGKILL');
      await ended.catch(() => {});
    },
  };
}

async function listening(port: number): Promise<void> {
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (open) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
