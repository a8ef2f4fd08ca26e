/** Real etcd servers for tests: one, or a cluster on loopback, with or without TLS; each test file stops its own. */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownPort } from '../../../support/ports.ts';

export type EtcdMember = { readonly endpoint: string; kill(): Promise<void>; start(): Promise<void> };

export type EtcdServers = {
  /** `127.0.0.1:PORT`, separated by commas. */
  readonly endpoints: string;
  readonly members: readonly EtcdMember[];
  /** With TLS: the files of the CA and of a client. */
  readonly files?: { readonly ca: string; readonly cert: string; readonly key: string };
  /** etcd's own client, with the credentials of the files. */
  ctl(...args: string[]): string;
  stop(): Promise<void>;
};

export type EtcdSettings = { readonly members?: number; readonly tls?: boolean; readonly flags?: readonly string[] };

export async function startEtcd({
  members: count = 1,
  tls = false,
  flags = [],
}: EtcdSettings = {}): Promise<EtcdServers> {
  const directory = mkdtempSync(join(tmpdir(), 'store-test-etcd-'));
  const files = tls ? makeFiles(directory) : undefined;
  const ports: number[] = [];
  while (ports.length < 2 * count) ports.push(await ownPort());
  const scheme = tls ? 'https' : 'http';
  const peers = ports.slice(count).map((port, index) => `m${index}=http://127.0.0.1:${port}`);
  const members = peers.map((_, index) => {
    const client = `${scheme}://127.0.0.1:${ports[index]}`;
    const peer = `http://127.0.0.1:${ports[count + index]}`;
    const args = [
      ...[
        '--name',
        `m${index}`,
        '--data-dir',
        join(directory, `m${index}`),
        '--log-level',
        'error',
        '--unsafe-no-fsync',
      ],
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', peers.join(',')],
      ...(tls
        ? [
            '--cert-file',
            'server.pem',
            '--key-file',
            'server-key.pem',
            '--trusted-ca-file',
            'ca.pem',
            '--client-cert-auth',
          ]
        : []),
      ...flags,
    ];
    return member(`127.0.0.1:${ports[index]}`, args, directory, (...ctl) =>
      etcdctl([`127.0.0.1:${ports[index]}`], ctl),
    );
  });
  const stop = async () => {
    await Promise.all(members.map((one) => one.kill()));
    rmSync(directory, { recursive: true, force: true });
  };

  function etcdctl(endpoints: readonly string[], args: readonly string[]): string {
    const where = ['--endpoints', endpoints.map((each) => `${scheme}://${each}`).join(',')];
    const access = files === undefined ? [] : ['--cacert', files.ca, '--cert', files.cert, '--key', files.key];
    return execFileSync('etcdctl', [...where, ...access, ...args], { encoding: 'utf8', stdio: 'pipe' });
  }

  try {
    await Promise.all(members.map((one) => one.start()));
  } catch (error) {
    await stop();
    throw error;
  }
  const addresses = members.map(({ endpoint }) => endpoint);
  return {
    endpoints: addresses.join(','),
    members,
    ...(files === undefined ? {} : { files }),
    ctl: (...args) => etcdctl(addresses, args),
    stop,
  };
}

function member(endpoint: string, args: string[], cwd: string, ctl: (...args: string[]) => string): EtcdMember {
  let child: ChildProcess | undefined;
  return {
    endpoint,
    async start() {
      child = spawn('etcd', args, { cwd, stdio: ['ignore', 'ignore', 'pipe'] });
      let said = '';
      child.stderr?.on('data', (chunk: Buffer) => {
        said = `${said}${chunk}`.slice(-4000);
      });
      for (let attempt = 0; attempt < 150; attempt++) {
        if (child.exitCode !== null) throw new Error(`etcd ended: ${said}`);
        try {
          ctl('endpoint', 'health', '--command-timeout=1s');
          return;
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 100));
        }
      }
      throw new Error(`etcd does not answer: ${said}`);
    },
    async kill() {
      const running = child;
      if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
      const ended = new Promise((resolve) => running.once('exit', resolve));
      running.kill('SIGKILL');
      await ended;
    },
  };
}

function makeFiles(directory: string) {
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  openssl(
    ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=etcd-ca -keyout ca-key.pem -out ca.pem'.split(
      ' ',
    ),
  );
  // etcd's gateway refuses clients with a common name if authentication is enabled.
  for (const [name, usage, subject] of [
    ['server', 'serverAuth', '/CN=server'],
    ['client', 'clientAuth', '/O=docker-tls'],
    ['named', 'clientAuth', '/CN=ops'],
  ] as const) {
    writeFileSync(join(directory, 'ext'), `subjectAltName=IP:127.0.0.1\nextendedKeyUsage=${usage},clientAuth\n`);
    openssl(
      ...`req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj ${subject} -keyout ${name}-key.pem -out ${name}.csr`.split(
        ' ',
      ),
    );
    openssl(
      ...`x509 -req -in ${name}.csr -CA ca.pem -CAkey ca-key.pem -CAcreateserial -days 2 -extfile ext -out ${name}.pem`.split(
        ' ',
      ),
    );
  }
  return { ca: join(directory, 'ca.pem'), cert: join(directory, 'client.pem'), key: join(directory, 'client-key.pem') };
}
