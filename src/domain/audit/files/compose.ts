/** Owns the checks of a Compose file. Their ids carry the benchmark's numbers: `compose.5.5` is 5.5 for a service that is not started yet. */

import { type CheckResult, resultOf } from '../evaluate.ts';
import { type ComposeCheck, check } from './compose-check.ts';
import { COMPOSE_ISOLATION } from './compose-isolation.ts';
import { parseCompose } from './compose-model.ts';
import { icc, isTrue, missing, ports, restart, secrets } from './compose-service.ts';

const OPERATION: readonly ComposeCheck[] = [
  check(
    '4.10',
    'high',
    'No secrets in environment',
    'Secrets in the environment',
    'Anyone who can see the container or this file reads them; they end up in logs and in version control.',
    'secrets: with a file, or a variable from an .env file that is not committed',
    secrets,
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

/** In the order of the benchmark. */
export const COMPOSE_CHECKS: readonly ComposeCheck[] = [...OPERATION, ...COMPOSE_ISOLATION].sort((a, b) =>
  a.id.localeCompare(b.id, 'en', { numeric: true }),
);

/** Judges a Compose file. Throws DockerTlsErrors (E_COMPOSE, with lines) when it is none. */
export function auditCompose(text: string, path: string): readonly CheckResult[] {
  const compose = parseCompose(text, path);
  return COMPOSE_CHECKS.map((one) => resultOf(one, one.evaluate(compose)));
}
