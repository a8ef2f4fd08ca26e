/**
 * Probe and client files against real daemons of the three generations, set up here with openssl certificates and dockerd flags. No other
 * part of our program is involved. Needs the lab (scripts/lab), the docker CLI and curl.
 */

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probe } from '../../../src/core/adapters/docker/probe.ts';
import { dockerHost } from '../../../src/core/domain/destination.ts';
import { Secret } from '../../../src/core/domain/secret.ts';
import { renderEnvironment } from '../../../src/core/domain/shell-environment.ts';
import type { ProbeOutcome, ProbeRequest } from '../../../src/core/runtime.ts';
import { CertificateFactory, type Issued } from '../../support/certificate-factory.ts';
import { type LabHost, labUp, suites } from '../../support/lab.ts';

const factory = new CertificateFactory();
const ca = factory.issue('lab CA', { ca: true });
const issuing = factory.issue('issuing CA of laptop', { by: ca, ca: true });
const client = factory.chained(factory.issue('laptop', { by: issuing, usage: 'clientAuth' }), issuing);
const otherCa = factory.issue('another CA', { ca: true });
const untrusted = factory.issue('untrusted client', { by: otherCa, usage: 'clientAuth' });
const late = factory.issue('late', { by: ca, usage: 'clientAuth', from: -9, to: -2 });
const home = mkdtempSync(join(tmpdir(), 'docker-tls-lab-client-'));
afterAll(() => {
  factory.remove();
  rmSync(home, { recursive: true, force: true });
});

function as(credential: Issued): ProbeRequest['credentials'] {
  return { cert: credential.cert, key: new Secret(credential.key) };
}

/** Shell text that restarts dockerd with other flags, in addition to `-H fd://`. */
function restartWith(flags: string): string {
  return `set -e
    dockerd=$(systemctl cat docker | sed -n 's/^ExecStart=\\([^ ]*\\) .*/\\1/p' | head -n 1)
    mkdir -p /etc/systemd/system/docker.service.d
    printf '[Service]\\nExecStart=\\nExecStart=%s -H fd:// ${flags}\\n' "$dockerd" > /etc/systemd/system/docker.service.d/t.conf
    systemctl daemon-reload; systemctl reset-failed docker; systemctl restart docker`;
}

async function serveTls(host: LabHost, server: Issued): Promise<void> {
  const put = async (name: string, text: string): Promise<void> => {
    const { exit, err } = await host.exec(`umask 077; mkdir -p /etc/docker/t; cat > /etc/docker/t/${name}`, {
      input: text,
    });
    if (exit !== 0) throw new Error(err);
  };
  await put('ca.pem', ca.cert);
  await put('cert.pem', server.cert);
  await put('key.pem', server.key);
  const files = '--tlscacert=/etc/docker/t/ca.pem --tlscert=/etc/docker/t/cert.pem --tlskey=/etc/docker/t/key.pem';
  await host.must(restartWith(`-H tcp://[::]:2376 --tlsverify ${files}`));
}

describe.each(suites)('dockerd of %s', (suite) => {
  const name = `dk-${suite}`;
  let address = '';
  let address6 = '';
  let host = '';

  let there: LabHost;

  beforeAll(async () => {
    [there] = (await labUp({ names: [name], suite })) as [LabHost];
    ({ address, address6 } = there);
    host = dockerHost(address, 2376);
    const san = `IP:${address},IP:${address6},DNS:${name}`;
    await serveTls(there, factory.issue('server', { by: ca, san, usage: 'serverAuth' }));
  });
  afterAll(() => there?.down());

  function ask(more: Partial<ProbeRequest> = {}): Promise<ProbeOutcome> {
    return probe({ address, port: 2376, ca: ca.cert, timeoutMs: 30_000, ...more });
  }

  function docker(args: readonly string[], env: Record<string, string>): string {
    return execFileSync('docker', args, {
      env: { PATH: process.env.PATH, HOME: home, ...env },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  }

  it('accepts the client, over IPv4 and IPv6, and tells its version and certificate', async () => {
    for (const where of [address, address6, `[${address6}]`]) {
      const outcome = await ask({ address: where, credentials: as(client), path: '/version' });
      expect(outcome).toMatchObject({ kind: 'accepted', status: 200, protocol: 'TLSv1.3' });
      expect(outcome.kind === 'accepted' && JSON.parse(outcome.body)).toHaveProperty('ApiVersion');
      expect(outcome.chain.match(/BEGIN CERTIFICATE/g)).toHaveLength(1);
    }
    expect(await ask({ credentials: as(client), serverName: name, maxVersion: 'TLSv1.2' })).toMatchObject({
      kind: 'accepted',
      protocol: 'TLSv1.2',
    });
  });

  const intruders: [string, Issued | undefined][] = [
    ['no client', undefined],
    ['an untrusted client', untrusted],
    ['an expired client', late],
  ];
  it.each(intruders)('refuses %s, under TLS 1.3 and 1.2, every time', async (_who, credential) => {
    const credentials = credential === undefined ? undefined : as(credential);
    for (const maxVersion of ['TLSv1.3', 'TLSv1.2', 'TLSv1.3', 'TLSv1.3', 'TLSv1.3'] as const) {
      expect(await ask({ credentials, maxVersion })).toMatchObject({ kind: 'refused', cause: 'client-refused' });
    }
  });

  it("refuses the server's own certificate, plain HTTP and TLS 1.1", async () => {
    const own = factory.issue('server', { by: ca, san: `IP:${address}`, usage: 'serverAuth' });
    expect(await ask({ credentials: as(own) })).toMatchObject({ kind: 'refused', cause: 'client-refused' });
    expect(await ask({ plain: true })).toMatchObject({
      kind: 'refused',
      cause: 'protocol',
      reason: expect.stringContaining('TLS only'),
    });
    expect(await ask({ maxVersion: 'TLSv1.1', credentials: as(client) })).toMatchObject({
      kind: 'refused',
      cause: 'protocol',
    });
  });

  it('is refused by who trusts another CA or dials another name', async () => {
    expect(await ask({ ca: otherCa.cert, credentials: as(client) })).toMatchObject({ cause: 'unknown-authority' });
    expect(await ask({ serverName: 'db.example', credentials: as(client) })).toMatchObject({ cause: 'wrong-name' });
  });

  it('has a port where nothing listens', async () => {
    expect(await ask({ port: 2377 })).toMatchObject({ kind: 'refused', cause: 'connection-refused', stage: 'connect' });
  });

  it('is used by the docker CLI through the environment, evaluated by a shell, with the files in the config directory', async () => {
    const dockerConfig = join(home, `${suite}-directory`);
    mkdirSync(dockerConfig);
    for (const [file, text] of Object.entries({ 'ca.pem': ca.cert, 'cert.pem': client.cert, 'key.pem': client.key }))
      writeFileSync(join(dockerConfig, file), text, { mode: 0o400 });
    const variables = {
      DOCKER_HOST: dockerHost(address6, 2376),
      DOCKER_TLS_VERIFY: '1',
      DOCKER_CERT_PATH: dockerConfig,
    };
    const text = renderEnvironment({ shell: 'sh', variables });
    const printed = execFileSync('sh', ['-c', `eval "$1"; docker info --format '{{.Name}}'`, 'sh', text], {
      env: { PATH: process.env.PATH, HOME: home },
      encoding: 'utf8',
    });
    expect(printed.trim()).toBe(name);
    expect(
      docker(['info', '--format', '{{.Name}}'], {
        DOCKER_CONFIG: dockerConfig,
        DOCKER_HOST: host,
        DOCKER_TLS_VERIFY: '1',
      }).trim(),
    ).toBe(name);
  });

  it("is used by curl with one PEM file, and by Python's strict verifier", async () => {
    const directory = mkdtempSync(join(home, 'bundle-'));
    const files = { 'ca.pem': ca.cert, 'cert.pem': client.cert, 'key.pem': client.key };
    for (const [file, text] of Object.entries({ ...files, 'one.pem': Object.values(files).reverse().join('') }))
      writeFileSync(join(directory, file), text, { mode: 0o400 });
    const url = `https://${address}:2376/version`;
    const said = execFileSync('curl', ['-sS', '--cert', 'one.pem', '--cacert', 'ca.pem', url], {
      cwd: directory,
      encoding: 'utf8',
    });
    expect(JSON.parse(said)).toHaveProperty('ApiVersion');
    const python = `import ssl, sys, urllib.request
context = ssl.create_default_context(cafile='ca.pem')
context.verify_flags |= ssl.VERIFY_X509_STRICT
context.load_cert_chain('cert.pem', 'key.pem')
print(urllib.request.urlopen(sys.argv[1], context=context).read().decode())`;
    expect(
      JSON.parse(execFileSync('python3', ['-c', python, url], { cwd: directory, encoding: 'utf8' })),
    ).toHaveProperty('ApiVersion');
  });
});

describe('a daemon on plain TCP', () => {
  it('is found out, by a TLS probe and by a plain one', async () => {
    const [host] = (await labUp({ names: ['dk-plain'] })) as [LabHost];
    await host.must(restartWith('-H tcp://0.0.0.0:2375 --tls=false'));
    const request = { address: host.address, port: 2375, ca: ca.cert, timeoutMs: 30_000, credentials: as(client) };
    expect(await probe(request)).toMatchObject({ kind: 'refused', cause: 'plain-http' });
    expect(await probe({ ...request, plain: true })).toMatchObject({ kind: 'accepted', status: 200 });
    await host.cut();
    expect(await probe({ ...request, timeoutMs: 1000 })).toMatchObject({
      kind: 'refused',
      cause: 'timed-out',
      stage: 'connect',
    });
    await host.down();
  });
});
