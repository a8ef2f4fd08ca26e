/** Checks of a Compose file. IDs contain the benchmark's numbers: `compose.5.5` is 5.5 for a service before its start. */

import { inBenchmarkOrder } from '../benchmark.ts';
import { checksOf } from '../check.ts';
import { type CheckResult, resultOf } from '../evaluate.ts';
import { asRunning, type ComposeCheck, perService } from './compose-check.ts';
import { COMPOSE_CODE } from './compose-code.ts';
import { COMPOSE_ISOLATION } from './compose-isolation.ts';
import { type Compose, parseCompose } from './compose-model.ts';
import type { Neighbours } from './compose-project.ts';
import { composeIcc, isTrueField, limits, missing, ports, serviceRestart, wrongAt } from './compose-service.ts';
import { COMPOSE_UNREAD } from './compose-unread.ts';
import { movingTag } from './image-names.ts';

const OPERATION: readonly ComposeCheck[] = [
  ...checksOf<ComposeCheck>({
    'compose.5.25': {
      severity: 'low',
      title: 'Services stay in the default cgroup',
      failure: 'Services are in another cgroup than the default',
      why: 'Another cgroup can have other limits.',
      fix: 'Take cgroup_parent out.',
      evaluate: perService((service) => {
        const field = service.get('cgroup_parent');
        return field === undefined ? [] : wrongAt(service, 'cgroup_parent', `is in ${String(field.shown)}`);
      }),
    },
    'compose.tag': {
      severity: 'low',
      title: 'Images are named by version',
      failure: 'Images are not named by version',
      why: 'latest means another image tomorrow.',
      fix: 'image: name:1.2 (best with @sha256:…)',
      evaluate: perService((service) => {
        const field = service.get('image');
        const moving = movingTag(String(field?.value ?? ''));
        return field === undefined || moving === undefined
          ? []
          : [{ text: `image ${String(field.shown)} has ${moving}`, at: field.at }];
      }),
    },
    'compose.unread': COMPOSE_UNREAD,
    'compose.logging': {
      severity: 'low',
      title: 'Output of services is kept',
      failure: 'Output of services is thrown away',
      why: 'After a break-in there is nothing to read.',
      fix: 'Take the logging driver none out.',
      evaluate: perService((service) =>
        service.get('logging', 'driver')?.value === 'none'
          ? wrongAt(service, 'logging', 'its logging driver is none')
          : [],
      ),
    },
    'compose.limits': {
      severity: 'low',
      title: "The kernel's own limits stay in place",
      failure: 'Limits of the kernel are switched off',
      why: 'Without the OOM killer or a limit of processes and files, one service can stop the whole host.',
      fix: 'Take oom_kill_disable, oom_score_adj and unlimited ulimits out.',
      evaluate: perService(limits),
    },
    'compose.icc': {
      severity: 'info',
      title: 'Containers of a network are kept apart where they can be',
      failure: 'Containers of a network reach one another',
      why: 'Services that only meet through a proxy need not reach one another.',
      fix: 'driver_opts: { com.docker.network.bridge.enable_icc: "false" }',
      evaluate: composeIcc,
    },
  }),
  ...asRunning({
    '5.8': {
      title: 'No privileged ports are published',
      failure: 'Privileged ports are published',
      fix: 'Publish a port above 1023, or note why this one is needed.',
      evaluate: perService((service) =>
        ports(service)
          .filter(({ port }) => /^\d+/.test(port) && Number.parseInt(port, 10) < 1024 && Number.parseInt(port, 10) > 0)
          .map(({ shown, at }) => ({ text: `publishes port ${shown.port}`, at })),
      ),
    },
    '5.11': {
      why: 'One container can take all memory.',
      fix: 'mem_limit: 512m',
      evaluate: perService((service) =>
        missing(service, [['mem_limit'], ['deploy', 'resources', 'limits', 'memory']], 'has no memory limit'),
      ),
    },
    '5.12': {
      fix: 'cpus: 1.0',
      evaluate: perService((service) =>
        missing(
          service,
          [['cpus'], ['cpu_shares'], ['cpu_quota'], ['deploy', 'resources', 'limits', 'cpus']],
          'has no CPU limit or weight',
        ),
      ),
    },
    '5.13': {
      fix: 'read_only: true, and tmpfs: [/tmp]',
      evaluate: perService((service) =>
        isTrueField(service.get('read_only')) ? [] : wrongAt(service, 'read_only', 'can write to its root file system'),
      ),
    },
    '5.14': {
      why: 'A port on all addresses is open on every network of the host, past most firewalls.',
      fix: 'ports: ["127.0.0.1:8080:80"]',
      evaluate: perService((service) =>
        ports(service)
          .filter(({ address }) => address === undefined || /^(|0\.0\.0\.0|::|\[::\])$/.test(address))
          .map(({ port, shown, at }) => ({
            text:
              port === ''
                ? `a port that Docker chooses, for ${shown.container}, is open on all addresses`
                : `port ${shown.port} is open on all addresses`,
            at,
          })),
      ),
    },
    '5.15': {
      why: 'A program that crashes for ever hides its crash and burns the CPU.',
      fix: 'restart: on-failure:5',
      evaluate: perService(serviceRestart),
    },
    '5.27': {
      title: 'Health is checked',
      failure: 'Health is not checked',
      fix: 'healthcheck: { test: [CMD, …] }',
      evaluate: perService((service) => {
        const field = service.get('healthcheck');
        const disabled =
          isTrueField(service.get('healthcheck', 'disable')) ||
          /^(NONE|NONE,?)$/.test(String(service.items('healthcheck', 'test')[0]?.text));
        if (disabled) return wrongAt(service, 'healthcheck', 'the health check is switched off');
        return field === undefined ? wrongAt(service, 'healthcheck', 'has no health check') : [];
      }),
    },
    '5.29': {
      fix: 'pids_limit: 200',
      evaluate: perService((service) =>
        missing(service, [['pids_limit'], ['deploy', 'resources', 'limits', 'pids']], 'has no limit of processes'),
      ),
    },
  }),
];

/** In benchmark order. */
export const COMPOSE_CHECKS: readonly ComposeCheck[] = inBenchmarkOrder([
  ...OPERATION,
  ...COMPOSE_ISOLATION,
  ...COMPOSE_CODE,
]);

/** Judges a Compose file with those around it. Throws DockerTlsErrors (E_COMPOSE, with lines) for an invalid file. */
export function auditCompose(text: string, path: string, neighbours?: Neighbours): readonly CheckResult[] {
  return judgeCompose(parseCompose([{ path, text }], neighbours));
}

export function judgeCompose(compose: Compose): readonly CheckResult[] {
  return COMPOSE_CHECKS.map((one) => resultOf(one, one.evaluate(compose)));
}
