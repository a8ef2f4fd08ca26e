import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { probe } from '../../src/core/adapters/docker/probe.ts';
import { Secret } from '../../src/core/domain/secret.ts';
import type { ProbeOutcome } from '../../src/core/runtime.ts';
import { runCli } from '../support/cli.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { newHome, removeHomes } from '../support/store.ts';

/** A host as docker-machine's generic driver leaves it, with the path of the daemon fixed, and its store on this computer. */
let host: LabHost;
let home: string;
let machine: string;

const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: 'pipe' });

beforeAll(async () => {
  home = newHome();
  machine = join(dirname(home), 'machine');
  [host] = (await labUp({ names: ['cl-machine'] })) as [LabHost];
  const certs = join(machine, 'certs');
  const own = join(machine, 'machines', 'old-1');
  mkdirSync(certs, { recursive: true, mode: 0o700 });
  mkdirSync(own, { recursive: true, mode: 0o700 });
  const at = (name: string) => join(certs, name);
  // As docker-machine's cert package does: RSA 2048, organisations and no common names, a thousand days.
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '1080',
    '-subj',
    '/O=ada',
    '-keyout',
    at('ca-key.pem'),
    '-out',
    at('ca.pem'),
    '-addext',
    'keyUsage=critical,digitalSignature,keyEncipherment,keyAgreement,keyCertSign',
  );
  const leaf = (key: string, cert: string, usage: string, san?: string) => {
    openssl(
      'req',
      '-new',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      '/O=ada.<bootstrap>',
      '-keyout',
      key,
      '-out',
      `${cert}.csr`,
    );
    writeFileSync(
      `${cert}.ext`,
      `keyUsage=critical,digitalSignature\nextendedKeyUsage=${usage}\n${san ? `subjectAltName=${san}\n` : ''}`,
    );
    openssl(
      'x509',
      '-req',
      '-in',
      `${cert}.csr`,
      '-CA',
      at('ca.pem'),
      '-CAkey',
      at('ca-key.pem'),
      '-CAcreateserial',
      '-days',
      '1080',
      '-extfile',
      `${cert}.ext`,
      '-out',
      cert,
    );
  };
  leaf(at('key.pem'), at('cert.pem'), 'clientAuth');
  leaf(join(own, 'server-key.pem'), join(own, 'server.pem'), 'serverAuth', `DNS:localhost,IP:${host.address}`);
  const auth = {
    CertDir: certs,
    CaCertPath: at('ca.pem'),
    CaPrivateKeyPath: at('ca-key.pem'),
    ServerCertPath: join(own, 'server.pem'),
    ServerKeyPath: join(own, 'server-key.pem'),
    ClientKeyPath: at('key.pem'),
    ClientCertPath: at('cert.pem'),
    ServerCertSANs: [],
    StorePath: own,
  };
  writeFileSync(
    join(own, 'config.json'),
    JSON.stringify({
      ConfigVersion: 3,
      Driver: {
        IPAddress: host.address,
        MachineName: 'old-1',
        SSHUser: 'root',
        SSHPort: 22,
        SSHKeyPath: host.keyFile,
        StorePath: machine,
        EnginePort: 2376,
      },
      DriverName: 'generic',
      HostOptions: { EngineOptions: { TlsVerify: true }, SwarmOptions: { IsSwarm: false }, AuthOptions: auth },
      Name: 'old-1',
    }),
  );
  for (const [from, to] of [
    [at('ca.pem'), 'ca.pem'],
    [join(own, 'server.pem'), 'server.pem'],
    [join(own, 'server-key.pem'), 'server-key.pem'],
  ] as const)
    await host.exec(`mkdir -p /etc/docker && cat > /etc/docker/${to}`, { input: readFileSync(from, 'utf8') });
  // docker-machine writes /usr/bin/dockerd, which Debian does not have: its daemon would be down.
  await host.must(
    'test -e /usr/bin/dockerd || ln -s /usr/sbin/dockerd /usr/bin/dockerd; mkdir -p /etc/systemd/system/docker.service.d',
  );
  await host.exec('cat > /etc/systemd/system/docker.service.d/10-machine.conf', {
    input: `[Service]
ExecStart=
ExecStart=/usr/bin/dockerd -H tcp://0.0.0.0:2376 -H unix:///var/run/docker.sock --tlsverify --tlscacert /etc/docker/ca.pem --tlscert /etc/docker/server.pem --tlskey /etc/docker/server-key.pem --label provider=generic
Environment=
`,
  });
  await host.must('systemctl daemon-reload && systemctl restart docker');
});
afterAll(async () => {
  await host?.down();
  removeHomes();
});

const run = (...argv: string[]) =>
  runCli([...argv, '--home', home], { env: { HOME: dirname(home), DOCKER_CONFIG: join(dirname(home), 'docker') } });

function attempt(): Promise<ProbeOutcome> {
  const read = (name: string) => readFileSync(join(machine, 'certs', name), 'utf8');
  return probe({
    address: host.address,
    port: 2376,
    ca: read('ca.pem'),
    credentials: { cert: read('cert.pem'), key: new Secret(read('key.pem')) },
    timeoutMs: 10_000,
  });
}

test("taken over into a store that is in use: docker-machine's client gets in until it is revoked, and nothing stops", async () => {
  expect((await attempt()).kind).toBe('accepted');
  await host.container('web', '', 'sleep 100000');
  const container = await pid();
  // Somebody has been here before: a CA, and a client that does not know docker-machine's.
  expect((await run('ca', 'create', '--no-ca-passphrase')).exit).toBe(0);
  expect((await run('client', 'add', 'laptop', '--yes')).exit).toBe(0);
  const taken = await run('import', 'docker-machine', '--storage-path', machine, '--json');
  expect(taken.json.result).toMatchObject({ hosts: ['old-1'], cas: 1, clients: ['docker-machine'] });

  const seen: string[] = [];
  let going = true;
  const polling = (async () => {
    while (going) {
      const outcome = await attempt();
      seen.push(outcome.kind === 'accepted' ? 'accepted' : outcome.cause);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  })();
  // docker-machine's server certificate is good and stays: only what the host accepts is new.
  const applied = await run('apply', 'old-1', '--host-key', 'accept-new', '--yes', '--json');
  expect(applied.json.error).toBeUndefined();
  expect(await run('verify', 'old-1', '--json')).toMatchObject({ exit: 0 });
  expect((await run('plan', 'old-1', '--check', '--json')).exit).toBe(0);

  const rotated = await run('rotate', 'ca', '--yes', '--json');
  expect(rotated.json.error).toBeUndefined();
  const early = await run('rotate', 'ca', '--drop', '--yes', '--json');
  expect([early.exit, early.json.error?.code]).toEqual([3, 'E_CA_IN_USE']);
  expect(early.json.error?.message).toContain('client docker-machine');
  going = false;
  await polling;
  // The daemon itself held the port: the one restart that gives it to systemd is seen, a refusal by TLS is not.
  const credentials = ['client-refused', 'unknown-authority', 'wrong-name', 'expired', 'plain-http', 'protocol'];
  expect(seen.filter((cause) => credentials.includes(cause))).toEqual([]);
  expect(seen.length).toBeGreaterThan(3);
  expect((await attempt()).kind).toBe('accepted');

  const revoked = await run('client', 'revoke', 'docker-machine', '--yes', '--json');
  expect(revoked.json.error).toBeUndefined();
  expect(await attempt()).toMatchObject({ kind: 'refused', cause: 'client-refused' });
  const dropped = await run('rotate', 'ca', '--drop', '--yes', '--json');
  expect(dropped.json.error).toBeUndefined();
  expect((await run('verify', 'old-1', '--json')).exit).toBe(0);
  expect((await run('plan', 'old-1', '--check', '--json')).exit).toBe(0);
  expect(await pid()).toBe(container);
});

function pid(): Promise<string> {
  return host.must("docker inspect -f '{{.State.Pid}} {{.State.StartedAt}}' web");
}
