import { afterAll, describe, expect, it } from 'vitest';
import { userPlaces } from '../../../../src/core/domain/dockerd/paths.ts';
import { inspectCertificate } from '../../../../src/core/domain/pki/inspect.ts';
import { kindOf } from '../../../../src/core/domain/plan/host-kind.ts';
import { managedExternally } from '../../../../src/core/domain/plan/other-store.ts';
import { newCredentials } from '../../../../src/core/domain/trust/new-credentials.ts';
import type { ProbeOutcome } from '../../../../src/core/runtime.ts';
import { offeredCommands } from '../../../../src/core/seams/offered-commands.ts';
import { DockerTlsError } from '../../../../src/errors/errors.ts';
import { duration } from '../../../../src/features/doctor/domain/clocks.ts';
import { diagnose } from '../../../../src/features/doctor/domain/diagnose.ts';
import type { Diagnosis, DiagnosisInput } from '../../../../src/features/doctor/domain/diagnosis.ts';
import { CertificateFactory } from '../../../support/certificate-factory.ts';

const factory = new CertificateFactory();
const ca = factory.issue('our CA', { ca: true, from: -400, to: 4000 });
const server = factory.issue('server', { by: ca, san: 'DNS:build.example,IP:10.0.0.7' }).cert;
const self = factory.issue('someone', { san: 'IP:10.0.0.7' }).cert;
const renewed = factory.issue('server', { by: ca, san: 'DNS:build.example,IP:10.0.0.7', from: 1, to: 90 }).cert;
const other = factory.issue('another CA', { ca: true }).cert;
const client = factory.issue('laptop', { by: ca, usage: 'clientAuth' }).cert;
afterAll(() => factory.remove());

const { notBefore, notAfter } = inspectCertificate(server);
const HOUR = 3_600_000;
const expected = {
  name: 'build-1',
  host: 'tcp://10.0.0.7:2376',
  certPath: '/home/ada/.docker/tls/clients/laptop',
  client: 'laptop',
  context: 'build',
};
const OWN = { ...kindOf({}), own: true, places: userPlaces('/home/rooty', '/run/user/1004') };
const ROOTY = { destination: 'build-1', user: 'rooty', rootless: true } as const;
const goodEnv = { HOME: '/home/ada' };

function refused(cause: Extract<ProbeOutcome, { kind: 'refused' }>['cause'], more: object = {}): ProbeOutcome {
  return { kind: 'refused', cause, reason: 'said the probe', chain: '', elapsedMs: 1, ...more };
}

function accepted(more: object = {}): ProbeOutcome {
  const body = '{"Version":"28.5.2","ApiVersion":"1.51","MinAPIVersion":"1.24"}';
  return { kind: 'accepted', status: 200, body, protocol: 'TLSv1.3', chain: server, elapsedMs: 1, ...more };
}

function ask(input: Partial<DiagnosisInput>): Diagnosis {
  return diagnose({
    outcome: accepted(),
    now: new Date(),
    env: goodEnv,
    currentContext: 'build',
    expected,
    clientCert: client,
    ...input,
  });
}

type Case = [
  what: string,
  input: Partial<DiagnosisInput>,
  cause: Diagnosis['cause'],
  says: unknown,
  firstHint: string | undefined,
];

describe('a host that cannot be used', () => {
  const cases: Case[] = [
    [
      'an expired certificate',
      { outcome: refused('expired', { chain: server }), now: new Date(notAfter.getTime() + 76 * HOUR) },
      'expired',
      expect.toSay('expired-days-ago', '3', '4'),
      'docker-tls rotate server build-1',
    ],
    [
      'an expired certificate, and its CA as well',
      {
        outcome: refused('expired', { chain: server }),
        now: new Date(notAfter.getTime() + HOUR),
        expected: { ...expected, caExpired: true },
      },
      'expired',
      expect.toSay('expired-ago', '1'),
      offeredCommands('new CA')[0],
    ],
    [
      'another CA, and credentials for a key that never left this computer',
      {
        outcome: refused('unknown-authority', { chain: server }),
        expected: { ...expected, external: true, ownKey: true },
      },
      'unknown-authority',
      expect.toSay('not-issued-ca'),
      String(newCredentials({ client: 'laptop', external: true, ownKey: true })[0]),
    ],
    [
      'an expired certificate, and a clock that hardly differs',
      {
        outcome: refused('expired', { chain: server }),
        now: new Date(notAfter.getTime() + HOUR),
        remoteClockSkewMs: 3000,
      },
      'expired',
      expect.toSay('expired-ago', '1'),
      'docker-tls rotate server build-1',
    ],
    [
      "this computer's clock is ahead of a certificate's end",
      {
        outcome: refused('expired', { chain: server }),
        now: new Date(notAfter.getTime() + HOUR),
        remoteClockSkewMs: -2 * HOUR,
      },
      'clock-skew',
      expect.toSay('hosts-clock-behind-this', '2'),
      `if this computer's clock is wrong, as root: date -u -s "@$(ssh build-1 date +%s)"`,
    ],
    [
      'a certificate that is not valid yet',
      { outcome: refused('not-yet-valid', { chain: server }), now: new Date(notBefore.getTime() - 90 * 60_000) },
      'not-yet-valid',
      expect.toSay('not-valid-another', '1', '30'),
      'docker-tls rotate server build-1',
    ],
    [
      "a certificate that is not valid yet, for this computer's clock is behind",
      {
        outcome: refused('not-yet-valid', { chain: server }),
        now: new Date(notBefore.getTime() - HOUR),
        remoteClockSkewMs: 5 * HOUR,
      },
      'not-yet-valid',
      expect.toSay('hosts-clock-ahead-this', '5'),
      `if this computer's clock is wrong, as root: date -u -s "@$(ssh build-1 date +%s)"`,
    ],
    [
      'a CA that has expired',
      { outcome: refused('expired', { chain: server }) },
      'expired',
      expect.toSay('cas-not'),
      'docker-tls status',
    ],
    [
      'another name',
      {
        outcome: refused('wrong-name', { chain: server }),
        expected: { ...expected, host: 'tcp://[2001:db8::7]:2376' },
      },
      'wrong-name',
      expect.toSay('not-dialled', 'build.example', '10.0.0.7', '2001:db8::7'),
      'docker-tls setup build-1 --san 2001:db8::7',
    ],
    [
      'no name',
      { outcome: refused('wrong-name'), names: [] },
      'wrong-name',
      expect.toSay('has-no-names'),
      'docker-tls setup build-1 --san 10.0.0.7',
    ],
    [
      'another authority',
      { outcome: refused('unknown-authority', { chain: server }) },
      'unknown-authority',
      expect.toSay('issuer-our-ca-host'),
      'docker-tls apply build-1',
    ],
    [
      'one that signed itself',
      { outcome: refused('unknown-authority', { chain: self }) },
      'unknown-authority',
      expect.toSay('signed-itself'),
      'docker-tls apply build-1',
    ],
    [
      'a client whose copy of the CA is old',
      { outcome: refused('unknown-authority', { chain: server }), storedCert: server },
      'unknown-authority',
      expect.toSay('credentials-are-older-than'),
      'docker-tls rotate client laptop',
    ],
    [
      'a client whose copy of the CA is old, while the host has yet another certificate of ours',
      { outcome: refused('unknown-authority', { chain: server }), storedCert: client, cas: ca.cert },
      'unknown-authority',
      expect.toSay('credentials-are-older-than'),
      'docker-tls rotate client laptop',
    ],
    [
      'another program on the port',
      {
        outcome: refused('unknown-authority', { chain: self }),
        storedCert: server,
        cas: ca.cert,
        inside: { kind: kindOf({}), docker: 'active', tlsSocket: 'active', serverCert: server, problems: [] },
      },
      'unknown-authority',
      expect.toSay('another-program-answers'),
      "ssh -t build-1 'sudo ss -ltnp '\\''sport = :2376'\\'''",
    ],
    [
      'another authority, seen from a computer that only has a client',
      { outcome: refused('unknown-authority', { chain: self }), expected: { ...expected, external: true } },
      'unknown-authority',
      expect.toSay('ca-replaced'),
      String(newCredentials({ client: 'laptop', external: true })[0]),
    ],
    [
      'an expired certificate, seen from a computer that only has a client',
      {
        outcome: refused('expired', { chain: server }),
        now: new Date(notAfter.getTime() + HOUR),
        expected: { ...expected, external: true },
      },
      'expired',
      expect.toSay('expired-ago', '1'),
      'on the computer that set it up: docker-tls rotate server build-1',
    ],
    [
      'a client that is not accepted',
      { outcome: refused('client-refused') },
      'client-refused',
      expect.toSay('rejects-client', 'laptop'),
      'docker-tls apply build-1',
    ],
    [
      'a client whose certificate has expired',
      { outcome: refused('client-refused'), now: new Date(notAfter.getTime() + 49.5 * HOUR) },
      'client-expired',
      expect.toSay('client-expired-ago', 'laptop', '2', '1'),
      'docker-tls rotate client laptop',
    ],
    [
      "a client whose certificate has expired by the host's clock",
      { outcome: refused('client-refused'), now: new Date(notAfter.getTime() - HOUR), remoteClockSkewMs: 3 * HOUR },
      'clock-skew',
      expect.toSay('hosts-clock-ahead', '3'),
      "if the host's clock is wrong: ssh -t build-1 sudo date -u -s @$(date +%s)",
    ],
    [
      "a client whose certificate begins later by the host's clock",
      { outcome: refused('client-refused'), now: new Date(notBefore.getTime() + HOUR), remoteClockSkewMs: -2 * HOUR },
      'clock-skew',
      expect.toSay('not-valid-yet-hosts', '2'),
      "if the host's clock is wrong: ssh -t build-1 sudo date -u -s @$(date +%s)",
    ],
    [
      'nothing that listens',
      { outcome: refused('connection-refused') },
      'connection-refused',
      expect.toSay('nothing-listens-on-port', '2376', '10.0.0.7'),
      'ssh -t build-1 sudo systemctl status docker docker-tls.socket',
    ],
    ...(['connection-refused', 'timed-out', 'reset'] as const).map(
      (cause): Case => [
        `a rootless Docker whose user is logged out: ${cause}`,
        {
          outcome: refused(cause),
          inside: { kind: OWN, docker: 'active', tlsSocket: 'active', listens: true, problems: [], lingers: 'no' },
          expected: { ...expected, ssh: ROOTY },
        },
        cause,
        expect.toSay('no-answer-while-logged-out', 'rooty'),
        'as root on the host: loginctl enable-linger rooty',
      ],
    ),
    [
      'a rootless Docker whose user is logged out, and may linger',
      {
        outcome: refused('connection-refused'),
        inside: { kind: OWN, docker: 'active', tlsSocket: 'active', listens: true, problems: [], lingers: 'may' },
        expected: { ...expected, ssh: ROOTY },
      },
      'connection-refused',
      expect.toSay('rooty-does-not-linger'),
      'ssh rooty@build-1 loginctl enable-linger',
    ],
    [
      'a rootless Docker that nobody could look at',
      { outcome: refused('connection-refused'), expected: { ...expected, ssh: ROOTY } },
      'connection-refused',
      expect.toSay('out-does-not-linger'),
      'if rooty is logged out, as root on the host: loginctl enable-linger rooty',
    ],
    [
      'a dockerd that has stopped',
      {
        outcome: refused('connection-refused'),
        inside: { kind: kindOf({}), docker: 'failed', tlsSocket: 'inactive', listens: false, problems: [] },
      },
      'connection-refused',
      expect.toSay('docker-service-failed-failed'),
      'ssh -t build-1 sudo journalctl -u docker.service -u docker-tls.socket -n 50 --no-pager',
    ],
    [
      'a dockerd that was stopped',
      {
        outcome: refused('connection-refused'),
        inside: { kind: kindOf({}), docker: 'inactive', tlsSocket: 'inactive', listens: false, problems: [] },
      },
      'connection-refused',
      expect.toSay('docker-service-inactive'),
      'ssh -t build-1 sudo systemctl reset-failed docker docker-tls.socket',
    ],
    [
      'a dockerd without its socket',
      {
        outcome: refused('connection-refused'),
        inside: { kind: kindOf({}), docker: 'active', tlsSocket: 'inactive', listens: false, problems: [] },
      },
      'connection-refused',
      expect.toSay('docker-tls-socket-inactive'),
      'docker-tls apply build-1',
    ],
    [
      'a drop-in that is gone, and a port that systemd still holds',
      {
        outcome: refused('timed-out', { stage: 'handshake' }),
        inside: {
          kind: kindOf({}),
          docker: 'active',
          tlsSocket: 'active',
          dropInGone: true,
          listens: true,
          problems: [],
        },
      },
      'daemon-not-answering',
      expect.toSay('drop-docker-tls-gone'),
      'docker-tls apply build-1',
    ],
    [
      'a drop-in that is gone, after a boot',
      {
        outcome: refused('connection-refused'),
        inside: {
          kind: kindOf({}),
          docker: 'active',
          tlsSocket: 'inactive',
          dropInGone: true,
          listens: false,
          problems: [],
        },
      },
      'connection-refused',
      expect.toSay('drop-docker-tls-gone'),
      'docker-tls apply build-1',
    ],
    [
      'a daemon.json that was put back, with which our drop-in does not start dockerd',
      {
        outcome: refused('connection-refused'),
        inside: {
          kind: kindOf({}),
          docker: 'failed',
          tlsSocket: 'inactive',
          jsonRefused: '/etc/docker/daemon.json no longer has the TLS settings of docker-tls',
          listens: false,
          problems: [],
        },
      },
      'connection-refused',
      expect.toSay('daemon-json-no-longer'),
      'docker-tls apply build-1',
    ],
    [
      'a firewall that rejects',
      {
        outcome: refused('connection-refused'),
        inside: { kind: kindOf({}), docker: 'active', tlsSocket: 'active', listens: true, problems: [] },
      },
      'connection-refused',
      expect.toSay('firewall-between'),
      'ssh -t build-1 sudo hostname -I',
    ],
    [
      'silence',
      { outcome: refused('timed-out', { stage: 'connect' }) },
      'timed-out',
      expect.toSay('firewall-drops'),
      'let TCP port 2376 through every firewall between this computer and 10.0.0.7, then: docker-tls doctor build-1',
    ],
    [
      'a daemon that hangs',
      { outcome: refused('timed-out', { stage: 'handshake' }) },
      'daemon-not-answering',
      expect.toSay('does-not-answer'),
      'ssh -t build-1 sudo systemctl status docker',
    ],
    [
      'no way there',
      { outcome: refused('unreachable') },
      'unreachable',
      expect.toSay('said-probe'),
      'ping -c 1 10.0.0.7',
    ],
    [
      'a firewall that rejects as a router does',
      {
        outcome: refused('unreachable'),
        inside: {
          kind: kindOf({}),
          docker: 'active',
          tlsSocket: 'active',
          listens: true,
          problems: [],
          doubt: { words: 'firewalld names it nowhere', commands: ['firewall-cmd --reload'] },
        },
      },
      'unreachable',
      expect.toSay('firewalld-names-nowhere'),
      'firewall-cmd --reload',
    ],
    [
      'an unknown name',
      { outcome: refused('name-not-found'), expected: { ...expected, host: 'tcp://x.example:2376' } },
      'name-not-found',
      expect.toSay('not-known', 'x.example'),
      'getent hosts x.example',
    ],
    [
      'plain HTTP',
      { outcome: refused('plain-http') },
      'plain-http',
      expect.toSay('speaks-plain-http'),
      'docker-tls apply build-1',
    ],
    [
      'too old a protocol',
      { outcome: refused('protocol'), expected: { ...expected, host: 'tcp://[::1]:2376' } },
      'protocol',
      expect.toSay('no-version-tls-common'),
      "openssl s_client -connect '[::1]:2376' -brief",
    ],
    [
      'no TLS at all',
      { outcome: refused('protocol', { notTls: true }) },
      'protocol',
      expect.toSay('not-tls-port'),
      "ssh -t build-1 'sudo ss -ltnp '\\''sport = :2376'\\'''",
    ],
    [
      'a cut connection',
      { outcome: refused('reset') },
      'reset',
      expect.toSay('closes-connection-without-tls'),
      'docker-tls doctor build-1',
    ],
    ['something else', { outcome: refused('other') }, 'other', expect.toSay('said-probe'), 'docker-tls verify build-1'],
    [
      'a plugin that says no',
      { outcome: accepted({ status: 403, body: '{"message":"authorization denied by plugin rules: no"}' }) },
      'denied-by-daemon',
      expect.toSay('denied-plugin-rules-no', '403'),
      'ssh -t build-1 sudo journalctl -u docker -n 50 --no-pager',
    ],
    [
      'an expired certificate, where a newer one is in the store',
      {
        outcome: refused('expired', { chain: server }),
        now: new Date(notAfter.getTime() + HOUR),
        storedCert: renewed,
      },
      'expired',
      expect.toSay('signed-but-not-applied'),
      'docker-tls apply build-1',
    ],
    [
      'a trust file that does not have this client yet',
      {
        outcome: refused('client-refused'),
        inside: { kind: kindOf({}), docker: 'active', tlsSocket: 'active', problems: [], trust: other },
      },
      'client-refused',
      expect.toSay('signed-but-not-applied'),
      'docker-tls apply build-1',
    ],
    [
      'a daemon in trouble',
      { outcome: accepted({ status: 503 }) },
      'daemon-not-answering',
      expect.toSay('answers', '503'),
      'ssh -t build-1 sudo journalctl -u docker -n 50 --no-pager',
    ],
  ];
  it.each(cases)('%s', (_what, input, cause, says, firstHint) => {
    const found = ask(input);
    expect(found.cause).toBe(cause);
    expect(found.message).toEqual(says);
    expect(found.hints[0]?.toString()).toBe(firstHint);
  });

  it('a fault of the service in front of the daemon comes first, unless the daemon itself is down', () => {
    const fault = new DockerTlsError('E_VERIFY', 'front.service is stopped', { hints: ['start it'] });
    const listener = { title: 'front 1.0', problems: [fault], signs: [] };
    const inside = { kind: kindOf({}), docker: 'active', tlsSocket: 'active', listens: true, problems: [], listener };
    const found = ask({ outcome: refused('reset'), inside });
    expect(found).toMatchObject({ cause: 'reset', hints: ['start it'] });
    expect(found.message).toSay('does-not-serve-client');
    const down = ask({ outcome: refused('reset'), inside: { ...inside, docker: 'failed' } });
    expect(down.message).toSay('dockerd-not-running');
    const well = ask({ outcome: refused('reset'), inside: { ...inside, listener: { ...listener, problems: [] } } });
    expect(well.message).not.toContain('front');
    for (const status of [200, 403])
      expect(ask({ outcome: accepted({ status }), inside }).message).not.toContain('front.service');
    expect(ask({ outcome: accepted({ status: 503 }), inside }).message).toContain('front.service is stopped');
  });

  it('what the service in front was denied explains no answer about certificates', () => {
    const denial = new DockerTlsError('E_VERIFY', 'SELinux denies front something', { hints: ['allow it'] });
    const listener = { title: 'front 1.0', problems: [], signs: [denial] };
    const inside = { kind: kindOf({}), docker: 'active', tlsSocket: 'active', listens: true, problems: [], listener };
    for (const outcome of [refused('reset'), accepted({ status: 503 })])
      expect(ask({ outcome, inside }).message).toContain('SELinux denies front');
    for (const outcome of [refused('client-refused'), refused('unknown-authority'), accepted({})])
      expect(ask({ outcome, inside }).message).not.toContain('SELinux');
  });

  it('closed by systemd, as dockerd does not start, says why', () => {
    const problem = new DockerTlsError('E_CONFLICT', 'hosts is given twice', { hints: ['fix it'] });
    const inside = { kind: kindOf({}), docker: 'failed', tlsSocket: 'active', listens: true, problems: [problem] };
    const found = ask({ outcome: refused('reset'), inside });
    expect(found).toMatchObject({ cause: 'daemon-not-answering', hints: { 0: 'fix it', length: 4 } });
    expect(found.message).toSay('no-longer-starts-hosts');
  });

  it('looked after by another store says so, and how to take it over', () => {
    const moved = managedExternally('build-1', 'this host was set up from another store');
    const inside = { kind: kindOf({}), docker: 'active', tlsSocket: 'active', listens: true, problems: [moved] };
    const found = ask({ outcome: refused('client-refused'), inside });
    expect(found.message).toSay('set-another-store');
    expect(found.hints.at(-1)).toSay('take-host-over', 'docker-tls apply build-1 --take-over');
  });

  it('goes before anything that the environment says', () => {
    expect(ask({ outcome: refused('connection-refused'), env: { DOCKER_HOST: 'tcp://other:2376' } }).cause).toBe(
      'connection-refused',
    );
  });

  it('reaches the host as ssh does, where that is told', () => {
    const found = ask({
      outcome: refused('connection-refused'),
      expected: { ...expected, ssh: { destination: '10.0.0.7', user: 'root', port: 2222 } },
    });
    expect(found.hints[0]).toBe('ssh -p 2222 root@10.0.0.7 systemctl status docker docker-tls.socket');
  });
});

describe('a host that is fine', () => {
  const byEnv = { ...goodEnv, DOCKER_HOST: expected.host, DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: expected.certPath };
  const noContext = { ...expected, context: undefined };
  const cases: Case[] = [
    ['by context', {}, 'none', 'answers this client over TLSv1.3', 'docker --context build version'],
    [
      'by DOCKER_CONTEXT',
      { env: { ...goodEnv, DOCKER_CONTEXT: 'build' }, currentContext: undefined },
      'none',
      'answers this client',
      'docker --context build version',
    ],
    ['by environment', { env: byEnv, expected: noContext }, 'none', 'answers this client', 'docker version'],
    [
      'by environment, with a slash more and DOCKER_TLS_VERIFY=0, which turns TLS on',
      {
        env: {
          ...byEnv,
          DOCKER_HOST: 'TCP://10.0.0.7:2376/',
          DOCKER_CERT_PATH: `${expected.certPath}/`,
          DOCKER_TLS_VERIFY: '0',
        },
      },
      'none',
      'answers this client',
      'docker --context build version',
    ],
    [
      'DOCKER_HOST beats the context',
      { env: { DOCKER_HOST: 'unix:///var/run/docker.sock' } },
      'host-overridden',
      'DOCKER_HOST is unix:///var/run/docker.sock, which beats every context, build too',
      'unset DOCKER_HOST DOCKER_TLS_VERIFY DOCKER_CERT_PATH',
    ],
    [
      'DOCKER_HOST elsewhere, no context',
      { env: { DOCKER_HOST: 'tcp://10.0.0.8:2376' }, expected: noContext },
      'host-overridden',
      'DOCKER_HOST is tcp://10.0.0.8:2376, so',
      'eval "$(docker-tls env build-1)"',
    ],
    [
      'DOCKER_TLS_VERIFY not set',
      { env: { ...byEnv, DOCKER_TLS_VERIFY: '' } },
      'tls-off',
      'plain HTTP',
      'export DOCKER_TLS_VERIFY=1',
    ],
    [
      'DOCKER_CERT_PATH elsewhere',
      { env: { ...byEnv, DOCKER_CERT_PATH: '/old certs' } },
      'cert-path',
      'DOCKER_CERT_PATH is /old certs',
      `export DOCKER_CERT_PATH=${expected.certPath}`,
    ],
    [
      'DOCKER_CERT_PATH not set',
      { env: { ...byEnv, DOCKER_CERT_PATH: undefined } },
      'cert-path',
      'looks into /home/ada/.docker',
      `export DOCKER_CERT_PATH=${expected.certPath}`,
    ],
    [
      'credentials in the config directory itself',
      { env: { ...byEnv, DOCKER_CERT_PATH: undefined }, expected: { ...expected, certPath: '/home/ada/.docker' } },
      'none',
      'answers this client',
      'docker --context build version',
    ],
    [
      'DOCKER_CONTEXT elsewhere',
      { env: { ...goodEnv, DOCKER_CONTEXT: 'prod' } },
      'context-overridden',
      'DOCKER_CONTEXT is prod',
      'unset DOCKER_CONTEXT',
    ],
    ['another context', { currentContext: 'prod' }, 'none', 'answers this client', 'docker --context build version'],
    ['no context', { currentContext: undefined }, 'none', 'answers this client', 'docker --context build version'],
    [
      'nothing at all',
      { currentContext: undefined, expected: noContext },
      'none',
      'answers this client',
      'eval "$(docker-tls env build-1)"',
    ],
    [
      'DOCKER_TLS_VERIFY=0 alone',
      { env: { ...goodEnv, DOCKER_TLS_VERIFY: '0' }, currentContext: undefined },
      'tls-verify-alone',
      'any value does, 0 too',
      'unset DOCKER_TLS_VERIFY',
    ],
    [
      'DOCKER_API_VERSION too old',
      { env: { ...goodEnv, DOCKER_API_VERSION: '1.9' } },
      'api-version',
      '1.9: older than 1.24',
      'unset DOCKER_API_VERSION',
    ],
    [
      'DOCKER_API_VERSION too new',
      { env: { ...goodEnv, DOCKER_API_VERSION: '1.52' } },
      'api-version',
      'newer than 1.51',
      'unset DOCKER_API_VERSION',
    ],
    [
      'DOCKER_API_VERSION within',
      { env: { ...goodEnv, DOCKER_API_VERSION: '1.44' } },
      'none',
      'answers this client',
      'docker --context build version',
    ],
    [
      'a docker command before what Docker 29.0 wants',
      { cliApiVersion: '1.43', outcome: accepted({ body: '{"ApiVersion":"1.52","MinAPIVersion":"1.44"}' }) },
      'api-version',
      'wants 1.44 or newer (Docker 29.0 to 29.2; from 29.3 on 1.40 will do)',
      'docker --version',
    ],
    [
      'a docker command of 29.0, and a daemon of 20.10',
      { cliApiVersion: '1.52', outcome: accepted({ body: '{"ApiVersion":"1.41","MinAPIVersion":"1.12"}' }) },
      'api-version',
      'speaks 1.41 at most: upgrade Docker on the host, or install docker 29.3 or newer here (it speaks 1.40)',
      'docker --version',
    ],
    [
      'a docker command of 29.3, and the same daemon',
      { cliApiVersion: '1.54', outcome: accepted({ body: '{"ApiVersion":"1.41","MinAPIVersion":"1.12"}' }) },
      'none',
      'answers this client',
      'docker --context build version',
    ],
    [
      'an answer that is no version',
      { env: { ...goodEnv, DOCKER_API_VERSION: '1.44' }, outcome: accepted({ body: '<html>' }) },
      'none',
      'answers this client',
      'docker --context build version',
    ],
  ];
  it.each(cases)('%s', (_what, input, cause, says, firstHint) => {
    const found = ask(input);
    expect(found.cause).toBe(cause);
    expect(found.message).toContain(says);
    expect(found.hints[0]?.toString()).toBe(firstHint);
  });

  it('with another context in use is fine, and that is a note', () => {
    expect(ask({ currentContext: 'prod' })).toMatchObject({
      cause: 'none',
      note: expect.toSay('docker-machine-uses-context'),
      hints: ['docker --context build version', 'docker context use build'],
    });
    expect(ask({}).note).toBeUndefined();
  });

  it('keeps the client that was named in its commands', () => {
    const found = ask({ env: { DOCKER_HOST: 'tcp://other:1' }, expected: { ...noContext, named: true } });
    expect(found.hints).toEqual(['eval "$(docker-tls env build-1 --client laptop)"']);
  });

  it('never shows what a terminal would take for a command', () => {
    const found = ask({ env: { DOCKER_HOST: 'tcp://\u001b]0;evil\u0007x:1' } });
    expect(JSON.stringify(found)).not.toMatch(/evil|\\u001b/);
  });
});

describe('duration', () => {
  it.each([
    [0, '1 s'],
    [61_000, '1 min 1 s'],
    [HOUR, '1 h'],
    [-25 * HOUR, '1 day 1 h'],
    [50 * 24 * HOUR + 60_000, '50 days'],
  ])('%d ms', (milliseconds, text) => {
    expect(duration(milliseconds)).toBe(text);
  });
});
