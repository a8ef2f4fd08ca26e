/** Owns the checks of a Compose file. Their ids carry the benchmark's numbers: `compose.5.5` is 5.5 for a service that is not started yet. */

import { moreThanDefault } from '../capabilities.ts';
import { type Check, type Evidence, judge, type Severity, type Verdict } from '../check.ts';
import { type CheckResult, resultOf } from '../evaluate.ts';
import { holdsDockerSocket, isSensitive } from '../mounts.ts';
import { type Compose, parseCompose, type Service } from './compose-model.ts';
import {
  devices,
  icc,
  is,
  isTrue,
  missing,
  mounts,
  ports,
  restart,
  secrets,
  securityOptions,
  socketsByName,
  user,
  type Wrong,
} from './compose-service.ts';

export type ComposeCheck = Omit<Check, 'evaluate'> & { readonly evaluate: (compose: Compose) => Verdict };

function perService(wrong: (service: Service, compose: Compose) => readonly Wrong[]): ComposeCheck['evaluate'] {
  return (compose) =>
    judge(
      compose.services.flatMap((service) =>
        wrong(service, compose).map((found): Evidence => ({ place: `service ${service.name}`, ...found })),
      ),
    );
}

function check(
  id: string,
  severity: Severity,
  title: string,
  failure: string,
  why: string,
  fix: string,
  wrong: (service: Service, compose: Compose) => readonly Wrong[],
): ComposeCheck {
  return { id: `compose.${id}`, severity, title, failure, why, fix, evaluate: perService(wrong) };
}

export const COMPOSE_CHECKS: readonly ComposeCheck[] = [
  check(
    '4.1',
    'medium',
    'Services run as a user of their own',
    'Services run as root',
    'Root in a container needs one hole less to become root on the host.',
    'user: "1000:1000"',
    user,
  ),
  check(
    '4.10',
    'high',
    'No secrets in environment',
    'Secrets in the environment',
    'Whoever can see the container or this file reads them; they end up in logs and in version control.',
    'secrets: with a file, or a variable from an .env file that is not committed',
    secrets,
  ),
  check(
    '5.2',
    'medium',
    'AppArmor stays on',
    'AppArmor is switched off',
    'The profile keeps a container from mounting and tracing.',
    'Take apparmor:unconfined out of security_opt.',
    (service) => securityOptions(service, /^apparmor[=:]unconfined$/),
  ),
  check(
    '5.4',
    'medium',
    'No more capabilities than the default are added',
    'Capabilities beyond the default are added',
    'Each capability is a part of root.',
    'cap_drop: [ALL], and in cap_add only what the program needs',
    (service) =>
      service
        .items('cap_add')
        .filter(({ text }) => moreThanDefault([text]).length > 0)
        .map(({ text, line }) => ({ text: `adds ${text}`, line })),
  ),
  check(
    '5.5',
    'high',
    'No service is privileged',
    'A service runs privileged',
    'A privileged container is root on the host.',
    'Take privileged out; add single capabilities or devices instead.',
    (service) =>
      isTrue(service.get('privileged'))
        ? [{ text: 'is privileged', line: service.get('privileged')?.line ?? service.line }]
        : [],
  ),
  check(
    '5.6',
    'high',
    "The host's own directories are not mounted",
    "The host's own directories are mounted",
    'Whoever can write to /etc, /root or a disk, read /etc/shadow or a private key, or talk to containerd owns the host.',
    'Mount only the files that are needed, read-only (:ro); no secrets, and no sockets of container engines.',
    (service, compose) =>
      mounts(service, compose)
        .filter(isSensitive)
        .map(({ source, destination, writable, line }) => ({
          text: `${source} is mounted on ${destination}, ${writable ? 'writable' : 'read-only'}`,
          line,
        })),
  ),
  check(
    '5.8',
    'low',
    'No privileged ports are published',
    'Privileged ports are published',
    'Ports below 1024 are where clients expect services of the host itself.',
    'Publish a port above 1023, or note why this one is meant.',
    (service) =>
      ports(service)
        .filter(({ port }) => /^\d+/.test(port) && Number.parseInt(port, 10) < 1024 && Number.parseInt(port, 10) > 0)
        .map(({ port, line }) => ({ text: `publishes port ${port}`, line })),
  ),
  check(
    '5.10',
    'medium',
    "The host's network is not shared",
    "The host's network is shared",
    'The container reaches what listens on 127.0.0.1, and can open any port.',
    'Take network_mode: host out; publish ports instead.',
    (service) => is(service, 'network_mode', 'host', "shares the host's network"),
  ),
  check(
    '5.11',
    'medium',
    'Memory is limited',
    'Memory is not limited',
    'One container can take all memory.',
    'mem_limit: 512m',
    (service) => missing(service, [['mem_limit'], ['deploy', 'resources', 'limits', 'memory']], 'has no memory limit'),
  ),
  check(
    '5.12',
    'low',
    'CPU is limited or weighted',
    'CPU is neither limited nor weighted',
    'One container can take all CPUs.',
    'cpus: 1.0',
    (service) =>
      missing(
        service,
        [['cpus'], ['cpu_shares'], ['cpu_quota'], ['deploy', 'resources', 'limits', 'cpus']],
        'has no CPU limit or weight',
      ),
  ),
  check(
    '5.13',
    'low',
    'The root file system is read-only',
    'The root file system is writable',
    'What an intruder cannot write, he cannot keep.',
    'read_only: true, and tmpfs: [/tmp]',
    (service) =>
      isTrue(service.get('read_only'))
        ? []
        : [{ text: 'can write to its root file system', line: service.get('read_only')?.line ?? service.line }],
  ),
  check(
    '5.14',
    'medium',
    'Published ports are bound to one address',
    'Ports are published on every address',
    'A port on all addresses is open on every network of the host, past most firewalls.',
    'ports: ["127.0.0.1:8080:80"]',
    (service) =>
      ports(service)
        .filter(({ address }) => address === undefined || /^(|0\.0\.0\.0|::|\[::\])$/.test(address))
        .map(({ port, container, line }) => ({
          text:
            port === ''
              ? `a port that Docker chooses, for ${container}, is open on all addresses`
              : `port ${port} is open on all addresses`,
          line,
        })),
  ),
  check(
    '5.15',
    'low',
    'Restarts end after five failures',
    'Restarts do not end after five failures',
    'A program that crashes for ever hides its crash and burns the CPU.',
    'restart: on-failure:5',
    restart,
  ),
  check(
    '5.16',
    'high',
    "The host's processes are not shared",
    "The host's processes are shared",
    'It can see and signal all processes.',
    'Take pid: host out.',
    (service) => is(service, 'pid', 'host', "shares the host's processes"),
  ),
  check(
    '5.17',
    'medium',
    "The host's IPC is not shared",
    "The host's IPC is shared",
    'It can read the shared memory of others.',
    'Take ipc: host out.',
    (service) => is(service, 'ipc', 'host', "shares the host's IPC"),
  ),
  check(
    '5.18',
    'medium',
    'Devices of the host are not handed in',
    'Devices of the host are handed in',
    'A disk device is the whole host.',
    'Take devices out, or accept it with a reason (baseline).',
    devices,
  ),
  check(
    '5.20',
    'medium',
    'Mounts do not spread to the host',
    'Mounts spread to the host',
    'A mount made in the container appears on the host.',
    'Take shared and rshared out.',
    (service, compose) =>
      mounts(service, compose)
        .filter(({ propagation }) => /^r?shared$/.test(propagation))
        .map(({ destination, propagation, line }) => ({ text: `${destination} has propagation ${propagation}`, line })),
  ),
  check(
    '5.21',
    'low',
    "The host's name space (UTS) is not shared",
    "The host's name space (UTS) is shared",
    "It can change the host's name.",
    'Take uts: host out.',
    (service) => is(service, 'uts', 'host', "shares the host's UTS"),
  ),
  check(
    '5.22',
    'high',
    'System calls are filtered',
    'System calls are not filtered',
    'seccomp takes away the system calls that most kernel exploits need.',
    'Take seccomp:unconfined out of security_opt.',
    (service) => securityOptions(service, /^seccomp[=:]unconfined$/),
  ),
  check(
    '5.25',
    'low',
    'Services stay in the default cgroup',
    'Services are in another cgroup than the default',
    'Another cgroup can have other limits.',
    'Take cgroup_parent out.',
    (service) => {
      const field = service.get('cgroup_parent');
      return field === undefined ? [] : [{ text: `is in ${String(field.value)}`, line: field.line }];
    },
  ),
  check(
    '5.26',
    'medium',
    'Services cannot gain new privileges',
    'Services can gain new privileges',
    'A setuid program in an image is the usual first step to root in the container.',
    'security_opt: ["no-new-privileges:true"]',
    (service) =>
      service.items('security_opt').some(({ text }) => /^no-new-privileges([=:]true)?$/.test(text))
        ? []
        : [{ text: 'its programs may gain rights (setuid)', line: service.get('security_opt')?.line ?? service.line }],
  ),
  check(
    '5.27',
    'low',
    'Health is checked',
    'Health is not checked',
    'Without a check Docker calls a hung program healthy.',
    'healthcheck: { test: [CMD, …] }',
    (service) => {
      const field = service.get('healthcheck');
      const disabled =
        isTrue(service.get('healthcheck', 'disable')) ||
        /^(NONE|NONE,?)$/.test(String(service.items('healthcheck', 'test')[0]?.text));
      return field === undefined || disabled
        ? [
            {
              text: disabled ? 'the health check is switched off' : 'has no health check',
              line: field?.line ?? service.line,
            },
          ]
        : [];
    },
  ),
  check(
    '5.28',
    'low',
    'Images are named by version',
    'Images are not named by version',
    'latest means another image tomorrow.',
    'image: name:1.2 (best with @sha256:…)',
    (service) => {
      const field = service.get('image');
      const image = String(field?.value ?? '');
      if (field === undefined || image.includes('@sha256:') || image.includes('$')) return [];
      const tag = /:([^/:]+)$/.exec(image)?.[1];
      return tag === undefined || tag === 'latest'
        ? [{ text: `image ${image} has ${tag === undefined ? 'no tag' : 'the tag latest'}`, line: field.line }]
        : [];
    },
  ),
  check(
    '5.29',
    'medium',
    'The number of processes is limited',
    'The number of processes is not limited',
    "A fork bomb in one container takes the host's process table.",
    'pids_limit: 200',
    (service) =>
      missing(service, [['pids_limit'], ['deploy', 'resources', 'limits', 'pids']], 'has no limit of processes'),
  ),
  check(
    '5.31',
    'medium',
    "The host's user namespace is not shared",
    "The host's user namespace is shared",
    'Root in it is root on the host, in spite of userns-remap.',
    'Take userns_mode: host out.',
    (service) => is(service, 'userns_mode', 'host', "shares the host's users"),
  ),
  check(
    '5.32',
    'high',
    "Docker's socket is not mounted",
    "Docker's socket is mounted",
    'Who has the socket is root on the host, and :ro changes nothing.',
    'Take the mount out, or put a filtering proxy for the API in between.',
    (service, compose) => [
      ...mounts(service, compose)
        .filter((mount) => holdsDockerSocket(mount, '/var/run/docker.sock'))
        .map(({ source, destination, line }) => ({ text: `${source} is mounted on ${destination}`, line })),
      ...socketsByName(service),
      ...(isTrue(service.get('use_api_socket'))
        ? [{ text: 'is given it by use_api_socket', line: service.get('use_api_socket')?.line ?? service.line }]
        : []),
    ],
  ),
  check(
    'caps',
    'low',
    'All capabilities are dropped first',
    'Capabilities are not dropped first',
    'The default set holds NET_RAW, SETUID and others that most programs never use.',
    'cap_drop: [ALL]',
    (service) =>
      service.items('cap_drop').some(({ text }) => text.toUpperCase() === 'ALL')
        ? []
        : [{ text: 'keeps the default capabilities', line: service.get('cap_drop')?.line ?? service.line }],
  ),
  check(
    'systempaths',
    'high',
    "The kernel's own paths are masked",
    "The kernel's own paths are open",
    'With all of /proc and /sys at hand, root in a container can run programs on the host.',
    'Take systempaths:unconfined out of security_opt.',
    (service) => securityOptions(service, /^systempaths[=:]unconfined$/),
  ),
  {
    id: 'compose.icc',
    severity: 'info',
    title: 'Containers of a network are kept apart where they can be',
    failure: 'Containers of a network reach one another',
    why: 'Services that only meet through a proxy need not reach one another.',
    fix: 'driver_opts: { com.docker.network.bridge.enable_icc: "false" }',
    evaluate: icc,
  },
];

/** Judges a Compose file. Throws DockerTlsErrors (E_COMPOSE, with lines) when it is none. */
export function auditCompose(text: string, path: string): readonly CheckResult[] {
  const compose = parseCompose(text, path);
  return COMPOSE_CHECKS.map((one) => resultOf(one, one.evaluate(compose)));
}
