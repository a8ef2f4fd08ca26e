/** doctor (src/features/doctor/) on a real host, as a user with sudo: each cause is named, and after the commands that it prints all is well. */

import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labClient, labUp } from '../support/lab.ts';
import { installNft } from '../support/nft.ts';
import { newPerson, type Person } from '../support/person.ts';

let program: Program;
let host: LabHost;
let person: Person;

beforeAll(async () => {
  program = buildProgram();
  [host] = (await labUp({ names: ['doctor-1'] })) as [LabHost];
  person = newPerson(program, [host]);
  expect(await person.run(person.setup(host, ['--name', 'web', '--context', 'web'], 'ops'))).toMatchObject({
    status: 0,
  });
  expect(await person.run(['client', 'add', 'bob', '--yes'])).toMatchObject({ status: 0 });
  // What was applied before the last renewal.
  await host.must('cp -aL /etc/docker/tls/current /root/before');
  expect(await person.run(['rotate', 'server', 'web', '--yes'])).toMatchObject({ status: 0 });
  // Who is told to edit a file there takes the setting out.
  await host.must(`printf '#!/bin/sh\\nsed -i /hosts/d "$1"\\n' >/usr/bin/vi && chmod +x /usr/bin/vi`);
  installNft(host);
  certify('expired', { subject: `IP:${host.address}`, from: '20250101000000Z', to: '20250201000000Z' });
  certify('early', { subject: `IP:${host.address}`, from: '20400101000000Z', to: '20410101000000Z' });
  certify('other-name', { subject: 'DNS:other.example' });
  certify('foreign', { subject: `IP:${host.address}`, foreign: true });
  await host.must(DENIER);
  cpSync(join(person.home, '.ssh/known_hosts'), join(person.home, 'hosts'));
  const issuer = readFileSync(join(person.store, 'ca/issuers/bob/ca.pem'), 'utf8');
  expect(await host.exec('cat >/root/bob.pem', { input: issuer })).toMatchObject({ exit: 0 });
  const bin = join(person.home, 'bin');
  mkdirSync(bin);
  // Whoever pastes the command answers its question.
  const own = `case $1 in apply|setup|rotate) set -- "$@" --yes;; esac\nexec ${program.command.join(' ')} "$@"`;
  for (const [name, text] of [
    ['docker-tls', own],
    ['docker', `exec ${await labClient()} "$@"`],
  ] as const) {
    writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(bin, name), 0o755);
  }
});
beforeEach(() => shell('docker context use default'));

/** A key and a certificate in /root/NAME of the host, signed by the CA of the store or by itself. */
function certify(
  name: string,
  { subject, from, to, foreign = false }: { subject: string; from?: string; to?: string; foreign?: boolean },
): void {
  const directory = join(host.root, 'root', name);
  mkdirSync(directory);
  const issuer = foreign ? [] : ['-CA', join(person.store, 'ca/ca.pem'), '-CAkey', join(person.store, 'ca/ca-key.pem')];
  const dates = from === undefined ? ['-days', '9'] : ['-not_before', from, '-not_after', to as string];
  const extensions = [`subjectAltName=${subject}`, 'extendedKeyUsage=serverAuth', 'basicConstraints=CA:FALSE'];
  const words = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-subj', '/CN=x'];
  const out = ['-keyout', join(directory, 'server-key.pem'), '-out', join(directory, 'server-cert.pem')];
  const added = extensions.flatMap((one) => ['-addext', one]);
  execFileSync('openssl', ['req', '-x509', ...words, ...issuer, ...dates, ...added, ...out], { stdio: 'ignore' });
}

/** The host's credentials are replaced by others, and the daemon serves them. */
const serve = (name: string) => `cp /root/${name}/server-* /etc/docker/tls/current/ && systemctl restart docker`;

/** An authorization plugin that allows nothing: two requests over HTTP, each answered by a shell. */
const DENIER = `mkdir -p /run/docker/plugins
cat >/usr/local/bin/denier <<'END'
#!/bin/sh
read -r _ path _
case $path in *Activate) body='{"Implements":["authz"]}';; *) body='{"Allow":false,"Msg":"no one may"}';; esac
printf 'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %s\r\nConnection: close\r\n\r\n%s' "\${#body}" "$body"
while read -r line && [ "$line" != "$(printf '\r')" ]; do :; done
END
chmod +x /usr/local/bin/denier
printf '[Socket]\nListenStream=/run/docker/plugins/denier.sock\nAccept=yes\n' >/etc/systemd/system/denier.socket
printf '[Service]\nExecStart=/usr/local/bin/denier\nStandardInput=socket\n' >/etc/systemd/system/denier@.service
systemctl daemon-reload && systemctl start denier.socket`;
afterEach(async () => {
  // What a case could not put right is no reason for the next ones to fail.
  await host.must(
    'systemctl reset-failed docker docker.socket docker-tls.socket; iptables -F INPUT; nft delete table inet wall 2>/dev/null; rm -f /etc/docker/daemon.json; if rm /etc/systemd/system/docker.service.d/own.conf 2>/dev/null; then systemctl daemon-reload; systemctl restart docker; fi; systemctl -q is-active docker docker-tls.socket || { systemctl reset-failed; systemctl stop docker; systemctl start docker-tls.socket docker; }',
  );
  cpSync(join(person.home, 'hosts'), join(person.home, '.ssh/known_hosts'));
});
afterAll(async () => {
  await host?.down();
  person?.remove();
  program?.remove();
});

type Result = { cause: string; message: string; hints: string[]; note?: string };

async function shell(script: string, env: Readonly<Record<string, string>> = {}) {
  const PATH = `${join(person.home, 'bin')}:${process.env.PATH ?? ''}`;
  return person.call('/bin/sh', ['-c', script], { ...env, PATH });
}

const doctor = 'docker-tls doctor web --timeout 3s --json';

/** A table of an administrator's own. */
const nft = (verdict: string) =>
  `nft add table inet wall && nft add chain inet wall in '{ type filter hook input priority 0; policy accept; }' && nft add rule inet wall in tcp dport 2376 ${verdict}`;

const OWN = 'printf >/etc/systemd/system/docker.service.d/own.conf';

/** What is printed before a command: it is for the person, and the command works without it. */
const FOR_PERSON = /^(?:only if you know why|set it): /;

test.each<[name: string, cause: string, says: unknown, breaks: string, env?: Record<string, string>]>([
  [
    'a daemon that is stopped',
    'connection-refused',
    expect.stringMatching(/docker.service is inactive/),
    'systemctl stop docker.socket docker-tls.socket docker',
  ],
  [
    'a firewall rule that drops',
    'timed-out',
    expect.stringMatching(/iptables/),
    'iptables -A INPUT -p tcp --dport 2376 -j DROP',
  ],
  [
    'a firewall rule that rejects',
    'connection-refused',
    expect.stringMatching(/iptables/),
    'iptables -A INPUT -p tcp --dport 2376 -j REJECT',
  ],
  [
    'a trust file without this client',
    'client-refused',
    expect.toSay('rejects-client', 'laptop'),
    'cp /root/bob.pem /etc/docker/tls/current/ca.pem && systemctl restart docker',
  ],
  [
    'a certificate that was signed but not applied',
    'none',
    expect.toSay('signed-but-not-applied', 'web'),
    'cp /root/before/server-* /etc/docker/tls/current/ && systemctl restart docker',
  ],
  [
    'a daemon that fails again and again',
    '(connection-refused|daemon-not-answering)',
    expect.toSay('docker-service-failed-failed'),
    'for n in 1 2 3 4; do systemctl restart docker || break; done; ! systemctl -q is-active docker',
  ],
  [
    'hosts in daemon.json and as a flag',
    'daemon-not-answering',
    expect.stringMatching(/dockerd is not running.*daemon\.json.*(--host|-H)/),
    `printf '{\n"hosts": ["tcp://0.0.0.0:2375"]\n}\n' >/etc/docker/daemon.json; systemctl restart docker || :`,
  ],
  ['a daemon that hangs', 'daemon-not-answering', expect.toSay('behind-does-not-answer'), 'pkill -STOP -x dockerd'],
  [
    'another DOCKER_HOST',
    'host-overridden',
    expect.stringMatching(/DOCKER_HOST is unix/),
    'true',
    { DOCKER_HOST: 'unix:///nowhere' },
  ],
  [
    'another DOCKER_CONTEXT',
    'context-overridden',
    expect.stringMatching(/DOCKER_CONTEXT is prod/),
    'true',
    { DOCKER_CONTEXT: 'prod' },
  ],
  [
    'a stray DOCKER_TLS_VERIFY',
    'tls-verify-alone',
    expect.stringMatching(/turns TLS on/),
    'true',
    { DOCKER_TLS_VERIFY: '1' },
  ],
  [
    'an old DOCKER_API_VERSION',
    'api-version',
    expect.stringMatching(/older than/),
    'docker info >/dev/null',
    { DOCKER_HOST: '', DOCKER_API_VERSION: '1.9' },
  ],
  ['an expired certificate', 'expired', expect.stringMatching(/expired .* ago/), serve('expired')],
  ['a certificate that begins later', 'not-yet-valid', expect.toSay('not-valid-another'), serve('early')],
  ['a certificate for another name', 'wrong-name', expect.toSay('example-not'), serve('other-name')],
  ['a certificate of another CA', 'unknown-authority', expect.toSay('given-certificate-another-ca'), serve('foreign')],
  [
    'a daemon without TLS',
    'plain-http',
    expect.stringMatching(/speaks plain HTTP/),
    `rm /etc/systemd/system/docker.service.d/zz-docker-tls.conf && ${OWN} '[Service]\nExecStart=\nExecStart=/usr/sbin/dockerd -H fd:// -H tcp://0.0.0.0:2376\n' && systemctl daemon-reload && systemctl stop docker docker-tls.socket && systemctl start docker`,
  ],
  ['nftables that drop', 'timed-out', expect.stringMatching(/nft/), nft('drop')],
  [
    'a firewall rule that rejects as a router does',
    'unreachable',
    expect.toSay('ssh-gets-host-iptables'),
    'iptables -A INPUT -p tcp --dport 2376 -j REJECT --reject-with icmp-host-prohibited',
  ],
  [
    'a firewall rule that cuts connections',
    'reset',
    expect.stringMatching(/firewall may \(iptables/),
    'iptables -A INPUT -p tcp --dport 2376 -m length --length 150:65535 -j REJECT --reject-with tcp-reset',
  ],
  ['nftables that reject', 'connection-refused', expect.toSay('may-reject-nft'), nft('reject with tcp reset')],
  [
    'a daemon that wants a newer API',
    'api-version',
    expect.stringMatching(/DOCKER_API_VERSION is 1.44: older than 1.45/),
    `${OWN} '[Service]\nEnvironment=DOCKER_MIN_API_VERSION=1.45\n' && systemctl daemon-reload && systemctl restart docker`,
    { DOCKER_API_VERSION: '1.44' },
  ],
  [
    'DOCKER_HOST alone',
    'tls-off',
    expect.stringMatching(/DOCKER_TLS_VERIFY is not set/),
    'true',
    { DOCKER_HOST: 'tcp://HOST:2376' },
  ],
  [
    'credentials of another directory',
    'cert-path',
    expect.stringMatching(/DOCKER_CERT_PATH is \/nowhere/),
    'true',
    { DOCKER_HOST: 'tcp://HOST:2376', DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: '/nowhere' },
  ],
])('%s', async (_, cause, says, breaks, variables = {}) => {
  const env = Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name, value.replace('HOST', host.address)]),
  );
  await host.must(breaks);
  const found: Result = JSON.parse((await shell(doctor, env)).out).result;
  expect(found.cause).toMatch(new RegExp(`^(?:${cause})$`));
  expect(`${found.message}; ${found.note}`).toEqual(says);
  const pasted = pastedOf(found.hints);
  const after = await shell(`{ ${pasted.join('\n')}\n} >&2; ${doctor}`, env);
  expect({ pasted, err: after.err, after: JSON.parse(after.out).result }).toMatchObject({ after: { cause: 'none' } });
});

/** Programs that answer on the port in place of the daemon, as units. */
const CUTTER = `import socket, struct
s = socket.create_server(("", 2376))
while True:
    c, _ = s.accept()
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()
`;
test.each([
  ['cuts connections', 'reset', /python3 \(pid \d+\)/, 'python3 /root/cutter.py'],
  ['speaks HTTP', 'plain-http', /python3/, 'python3 -m http.server 2376'],
  ['speaks SSH', 'protocol', /sshd/, '/usr/sbin/sshd -D -p 2376'],
  [
    'speaks TLS of its own',
    'unknown-authority',
    /openssl/,
    'openssl s_server -www -accept 2376 -key /root/foreign/server-key.pem -cert /root/foreign/server-cert.pem',
  ],
  [
    'speaks old TLS',
    '(reset|protocol)',
    /openssl/,
    'openssl s_server -www -accept 2376 -key /root/foreign/server-key.pem -cert /root/foreign/server-cert.pem -tls1_1 -cipher DEFAULT@SECLEVEL=0',
  ],
])(
  'another program that %s: it is named, and once it has ended the rest is printed',
  async (_, cause, says, program) => {
    expect(await host.exec('cat >/root/cutter.py', { input: CUTTER })).toMatchObject({ exit: 0 });
    await host.must(
      `systemctl stop docker docker.socket docker-tls.socket; systemd-run -q --unit=squatter ${program}; until ss -Hltn "sport = :2376" | grep -q .; do sleep 0.1; done; ! systemctl start docker docker.socket docker-tls.socket; systemctl reset-failed; systemctl start docker`,
    );
    try {
      const found: Result = JSON.parse((await shell(doctor)).out).result;
      expect(found.cause).toMatch(new RegExp(`^(?:${cause})$`));
      expect(found.message).toSay('another-program-answers');
      expect(found.message).toMatch(says);
      const [look, ...rest] = pastedOf(found.hints);
      expect((await shell(look as string)).out).toMatch(new RegExp(`2376.*${says.source.replace(/ .*/, '')}`));
      await host.must('systemctl stop squatter');
      const after = await shell(`{ ${rest.join('\n')}\n} >&2; ${doctor}`);
      expect({ err: after.err, after: JSON.parse(after.out).result }).toMatchObject({ after: { cause: 'none' } });
    } finally {
      await host.exec('systemctl stop squatter');
    }
  },
);

test('a name that is known no more', async () => {
  const hosts = join(person.home, 'etc-hosts');
  writeFileSync(hosts, `${readFileSync('/etc/hosts', 'utf8')}\n${host.address} web.lab.example\n`);
  const known = (command: string) => `unshare -m sh -c 'mount --bind ${hosts} /etc/hosts && ${command}'`;
  const setup = await shell(known('docker-tls setup web --address web.lab.example --yes'));
  expect(setup, setup.err).toMatchObject({ status: 0 });
  expect(JSON.parse((await shell(known(doctor))).out).result).toMatchObject({ cause: 'none' });
  const found: Result = JSON.parse((await shell(doctor)).out).result;
  expect(`${found.cause}: ${found.message}`).toSay('name-not-found-name-web-lab');
  const after = await shell(`{ ${pastedOf(found.hints).join('\n')}\n} >&2; ${doctor}`);
  expect({ err: after.err, after: JSON.parse(after.out).result }).toMatchObject({ after: { cause: 'none' } });
});

test('an old docker command', async () => {
  const [old] = (await labUp({ names: ['doctor-old'], suite: 'bookworm' })) as [LabHost];
  const path = join(person.home, 'old');
  mkdirSync(path, { recursive: true });
  cpSync(join(old.root, 'usr/bin/docker'), join(path, 'docker'));
  await old.down();
  await host.must(
    `${OWN} '[Service]\nEnvironment=DOCKER_MIN_API_VERSION=1.44\n' && systemctl daemon-reload && systemctl restart docker`,
  );
  const found: Result = JSON.parse((await shell(`PATH=${path}:$PATH; ${doctor}`)).out).result;
  expect(`${found.cause}: ${found.message}`).toSay('api-version-docker-command-computer', '1.41', '1.44');
  expect((await shell(`PATH=${path}:$PATH; ${pastedOf(found.hints).join('\n')}`)).out).toContain('20.10');
  expect(JSON.parse((await shell(doctor)).out).result).toMatchObject({ cause: 'none' });
});

test('the client of this computer has expired', async () => {
  const [cert, key] = ['cert.pem', 'key.pem'].map((name) => join(person.store, 'clients/laptop', name)) as [
    string,
    string,
  ];
  const issuer = join(person.store, 'ca/issuers/laptop');
  const words = ['-CA', `${issuer}/ca.pem`, '-CAkey', `${issuer}/ca-key.pem`, '-key', key, '-subj', '/CN=laptop'];
  const dates = ['-not_before', '20250101000000Z', '-not_after', '20250201000000Z'];
  const leaf = execFileSync('openssl', ['req', '-x509', ...words, ...dates, '-addext', 'extendedKeyUsage=clientAuth']);
  chmodSync(cert, 0o644);
  writeFileSync(cert, `${leaf}${readFileSync(`${issuer}/ca.pem`, 'utf8')}`);
  const found: Result = JSON.parse((await shell(`${doctor} --client laptop`)).out).result;
  expect(found).toMatchObject({ cause: 'client-expired', message: expect.stringContaining('expired') });
  const after = await shell(`{ ${pastedOf(found.hints).join('\n')}\n} >&2; ${doctor} --client laptop`);
  expect(JSON.parse(after.out).result).toMatchObject({ cause: 'none' });
});

test('an authorization plugin denies the client: whose decision it is, is shown', async () => {
  await host.must(
    `printf '{"authorization-plugins": ["denier"]}' >/etc/docker/daemon.json && systemctl restart docker`,
  );
  const found: Result = JSON.parse((await shell(doctor)).out).result;
  expect(`${found.cause}: ${found.message}`).toMatch(/^denied-by-daemon: .*403.*no one may/);
  const shown = await shell(pastedOf(found.hints).join('\n'));
  expect([shown.status, shown.out]).toEqual([0, expect.stringContaining('denier')]);
  await host.must('rm /etc/docker/daemon.json && systemctl restart docker');
  expect(JSON.parse((await shell(doctor)).out).result).toMatchObject({ cause: 'none' });
});

/** Every line but headings is a command. */
function pastedOf(hints: readonly string[]): string[] {
  const lines = hints.filter((hint) => !hint.endsWith(':')).map((hint) => hint.replace(FOR_PERSON, ''));
  expect(
    lines.filter((line) => !/^(ssh|ssh-keygen|ssh-keyscan|docker|docker-tls|eval|unset|export|getent) /.test(line)),
  ).toEqual([]);
  return lines;
}

test("the host's key has changed, or is not known: said beside the cause, and afterwards the cause is found", async () => {
  // Only known_hosts has its key: a recorded one would count alone.
  const record = join(person.store, 'hosts/web/host.json');
  writeFileSync(record, readFileSync(record, 'utf8').replace(/"hostKey": *"[^"]*"/, '"hostKey": "strict"'));
  const file = join(person.home, '.ssh/known_hosts');
  const [line = ''] = /^.* ssh-ed25519 \S+/m.exec(readFileSync(file, 'utf8')) ?? [];
  writeFileSync(file, `${line.replace(/.{8}$/, 'AAAAAAAA')}\n`);
  await host.must('systemctl stop docker.socket docker-tls.socket docker');
  for (const expected of [expect.toSay('host-key-changed'), expect.toSay('host-key-not-known')]) {
    const { sshProblem } = JSON.parse((await shell(doctor)).out).result;
    expect(sshProblem.message).toEqual(expected);
    expect((await shell(pastedOf(sshProblem.hints).join('\n'))).status).toBe(0);
  }
  const found: Result = JSON.parse((await shell(doctor)).out).result;
  expect(found).toMatchObject({ cause: 'connection-refused', message: expect.stringContaining('docker.service is') });
  const after = await shell(`{ ${pastedOf(found.hints).join('\n')}\n} >&2; ${doctor}`);
  expect(JSON.parse(after.out).result).toMatchObject({ cause: 'none' });
});

test('the client that was named is in every command', async () => {
  const found: Result = JSON.parse(
    (await shell(`${doctor} --client bob`, { DOCKER_HOST: 'tcp://10.9.9.9:2376' })).out,
  ).result;
  expect(found.cause).toBe('host-overridden');
  for (const hint of found.hints.filter((one) => one.includes('docker-tls'))) expect(hint).toContain('--client bob');
});

test('another current context is a note, and DOCKER_HOST says which host is meant', async () => {
  const run = await shell('docker-tls doctor --json', {
    DOCKER_HOST: `tcp://${host.address}:2376`,
    DOCKER_TLS_VERIFY: '1',
  });
  expect(JSON.parse(run.out).result.host).toBe('web');
  await shell('docker context use default');
  const noted = await shell(doctor);
  expect(noted.status).toBe(0);
  expect(JSON.parse(noted.out).result).toMatchObject({
    cause: 'none',
    note: expect.stringContaining('context default'),
  });
});
