/** Owns what stands against a change: everything is found before anything is touched, and said at once. */

import { flagValues } from '../daemon/command-line.ts';
import { lineOfKey } from '../daemon/daemon-json.ts';
import { LOCK, SOCKET_UNIT } from '../daemon/paths.ts';
import { sshCommand } from '../daemon/quote.ts';
import { DockerTlsError } from '../errors.ts';
import { type DaemonView, isTlsFlag, viewDaemon } from './daemon-view.ts';
import { fileText, type HostFacts } from './facts.ts';
import { firewallBlocks } from './firewall.ts';
import type { HostPlan } from './plan.ts';

export type PreflightInput = {
  readonly host: string;
  readonly facts: HostFacts;
  /** How far the host's clock is ahead of ours (negative: behind), in milliseconds, round trip taken off. */
  readonly skewMs: number;
  /** Our own time, for locks. */
  readonly nowMs: number;
  readonly port: number;
  /** Absent where the facts do not allow a plan. */
  readonly plan?: HostPlan;
};

/** A certificate is dated back by an hour (src/pki/profiles.ts): a clock that is further behind refuses it. */
const CLOCK_LIMIT_MS = 55 * 60_000;
/** What a change needs: copies of a few small files. */
const FREE_KB = 2048;

/** Every problem of a host, gravest first; empty: the change can be made. Exit status 4. */
export function preflight(input: PreflightInput): DockerTlsError[] {
  const basics = checkBasics(input);
  if (basics.length > 0) return basics;
  const view = viewDaemon(input.facts);
  return [...checkUnit(input, view), ...checkDaemonJson(input, view), ...checkHost(input), ...checkContainers(input)];
}

function problem(
  host: string,
  code: string,
  message: string,
  hints: readonly string[],
  details: readonly string[] = [],
): DockerTlsError {
  return new DockerTlsError({ code, exit: 4, message, where: host, hints, details });
}

function checkBasics({ host, facts, nowMs }: PreflightInput): DockerTlsError[] {
  const found: DockerTlsError[] = [];
  if (facts.systemd === undefined) {
    found.push(
      problem(host, 'E_NO_SYSTEMD', 'no systemd runs on this host', [
        'docker-tls changes dockerd through systemd units; use a host whose init is systemd',
      ]),
    );
  }
  if (facts.docker.binary === '' || facts.docker.unit.load === 'not-found' || facts.docker.unit.load === '') {
    const snap = facts.docker.otherUnits.includes('snap.docker');
    found.push(
      snap
        ? problem(host, 'E_DOCKER_SNAP', 'Docker is installed as a snap, which keeps its own configuration', [
            'sudo snap remove docker && sudo apt-get install -y docker.io',
          ])
        : problem(
            host,
            'E_NO_DOCKER',
            facts.docker.binary === '' ? 'no dockerd on this host' : 'dockerd is here, but no docker.service',
            [
              `on Debian or Ubuntu: ssh ${host} sudo apt-get install -y docker.io`,
              'or follow https://docs.docker.com/engine/install/',
            ],
          ),
    );
  } else if (facts.docker.unit.load === 'masked') {
    found.push(
      problem(host, 'E_DOCKER_MASKED', 'docker.service is masked', [
        `ssh ${host} sudo systemctl unmask docker.service`,
      ]),
    );
  }
  if (facts.lock !== undefined && facts.lock.expiresMs > facts.clockMs) {
    const since = new Date(nowMs - (facts.clockMs - facts.lock.sinceMs));
    found.push(lockedError(host, facts.lock.who, since, Math.ceil((facts.lock.expiresMs - facts.clockMs) / 1000)));
  }
  return found;
}

/** The error for a host that another change holds. `since` in our own time. */
export function lockedError(host: string, who: string, since: Date, expiresInS: number): DockerTlsError {
  const when = Number.isNaN(since.getTime()) ? 'some time' : since.toISOString();
  return problem(host, 'E_HOST_LOCKED', `${who} has been changing this host since ${when}`, [
    `wait: the lock expires in ${expiresInS} s`,
    `if that run is dead: ssh ${host} sudo sh /var/lib/docker-tls/txn/way-back.sh undo asked; ssh ${host} sudo rm -f ${LOCK}`,
  ]);
}

function checkUnit({ host, facts }: PreflightInput, view: DaemonView): DockerTlsError[] {
  const found: DockerTlsError[] = [];
  if (view.execStart === undefined || view.commandLine === undefined) {
    const place = view.execStart ? `${view.execStart.path}:${view.execStart.line}` : facts.docker.unit.fragment;
    found.push(
      problem(
        host,
        'E_UNIT_COMMAND',
        `${place}: ExecStart does not start dockerd itself${view.execStart ? `: ${view.execStart.value}` : ''}`,
        [`make ExecStart there a plain dockerd command line: ssh ${host} sudo systemctl edit --full docker.service`],
      ),
    );
  }
  for (const variable of view.variables) {
    const tls = variable.flags.some((flag) => isTlsFlag(flag) || flag.name === '--host');
    if (tls && variable.file === undefined) {
      found.push(
        problem(
          host,
          'E_UNIT_VARIABLE',
          `${variable.name} in docker.service (line ${variable.line} of its file) sets listening or TLS flags`,
          [`take -H and --tls flags out of it: ssh ${host} sudo systemctl edit docker.service`],
        ),
      );
    }
  }
  const failed = facts.docker.unit.active === 'failed';
  if (failed) {
    found.push(
      problem(host, 'E_DOCKER_DOWN', 'docker.service has failed already, before any change', [
        `ssh ${host} sudo journalctl -u docker.service -n 30 --no-pager`,
        `ssh ${host} sudo systemctl reset-failed docker.service && ssh ${host} sudo systemctl start docker.service`,
      ]),
    );
  }
  return found;
}

/** Flags and keys that mean the same, where dockerd ends itself when both are given (moby: findConfigurationConflicts). */
export const FLAG_OF_KEY: Readonly<Record<string, string>> = {
  hosts: '--host',
  labels: '--label',
  dns: '--dns',
  'dns-opts': '--dns-opt',
  'dns-search': '--dns-search',
  'storage-opts': '--storage-opt',
  'exec-opts': '--exec-opt',
  'log-opts': '--log-opt',
  'default-ulimits': '--default-ulimit',
  'authorization-plugins': '--authorization-plugin',
  'registry-mirrors': '--registry-mirror',
  'insecure-registries': '--insecure-registry',
  runtimes: '--add-runtime',
};

function checkDaemonJson({ host, facts }: PreflightInput, view: DaemonView): DockerTlsError[] {
  const path = view.configFile;
  if (view.json.error) {
    return [
      problem(
        host,
        'E_DAEMON_JSON',
        `${path}:${view.json.error.line}: not valid JSON (${view.json.error.reason}); dockerd will not start with it`,
        [`mend that line, then check it: ${sshCommand(host, 'sudo', 'python3', '-m', 'json.tool', path)}`],
      ),
    ];
  }
  const text = fileText(facts, path) ?? '';
  const found: DockerTlsError[] = [];
  // The one wrong value that `dockerd --validate` lets through and that is seen often. A plugin's name may hold `/` or `:`.
  const driver = view.json.values['log-driver'];
  const known = facts.docker.logDrivers;
  if (
    typeof driver === 'string' &&
    known.length > 0 &&
    driver !== 'none' &&
    !/[/:]/.test(driver) &&
    !known.includes(driver)
  ) {
    found.push(
      problem(
        host,
        'E_DAEMON_JSON',
        `${path}:${lineOfKey(text, 'log-driver')}: this daemon has no log driver "${driver}": it would not start again`,
        [`it has ${known.join(', ')}: mend that line in ${path}`],
      ),
    );
  }
  for (const key of Object.keys(view.json.values)) {
    const flag = FLAG_OF_KEY[key] ?? `--${key}`;
    // Ours to resolve: the keys are taken out of daemon.json.
    if (isTlsFlag({ name: flag, value: undefined, words: [] })) continue;
    if (flagValues(view.flags, flag).length === 0) continue;
    const where = view.execStart ? `${view.execStart.path}:${view.execStart.line}` : 'the unit';
    found.push(
      problem(
        host,
        'E_CONFLICT',
        `"${key}" stands in ${path}:${lineOfKey(text, key)} and as ${flag} in ${where}: dockerd refuses to start with both`,
        [`take one of them out: ssh ${host} sudo systemctl edit docker.service, or edit ${path}`],
      ),
    );
  }
  return found;
}

function checkHost({ host, facts, skewMs, port, plan }: PreflightInput): DockerTlsError[] {
  const found: DockerTlsError[] = [];
  const foreign = facts.listeners.filter((line) => !/users:\(\(.*"(dockerd|systemd|docker-proxy-tls)"/.test(line));
  const ours = facts.docker.tlsSocket.active === 'active';
  if (foreign.length > 0 && !ours) {
    const program = /"([^"]+)",pid=(\d+)/.exec(foreign[0] ?? '');
    found.push(
      problem(
        host,
        'E_PORT_TAKEN',
        `port ${port} is taken by ${program ? `${program[1]} (pid ${program[2]})` : 'another program'}`,
        [
          `choose another: --port ${port === 2376 ? 2377 : 2376}`,
          `or see what it is: ssh ${host} sudo ss -ltnp 'sport = :${port}'`,
        ],
      ),
    );
  } else if (!ours && facts.listeners.some((line) => /"systemd",pid=1\b/.test(line))) {
    found.push(
      problem(host, 'E_PORT_TAKEN', `port ${port} is held by another socket unit than ${SOCKET_UNIT}`, [
        `see which: ssh ${host} systemctl list-sockets`,
        `or choose another: --port ${port === 2376 ? 2377 : 2376}`,
      ]),
    );
  }
  if (Math.abs(skewMs) > CLOCK_LIMIT_MS) {
    const minutes = Math.round(Math.abs(skewMs) / 60_000);
    found.push(
      problem(
        host,
        'E_CLOCK',
        `its clock is ${minutes} minutes ${skewMs < 0 ? 'behind' : 'ahead of'} this computer's: certificates would not be valid there`,
        [
          `set it: ssh ${host} sudo timedatectl set-ntp true`,
          'if this computer is the one that is wrong, mend its clock first',
        ],
      ),
    );
  }
  for (const disk of facts.disk) {
    if (disk.freeKb >= FREE_KB) continue;
    found.push(
      problem(host, 'E_DISK_FULL', `only ${disk.freeKb} kB are free on ${disk.mount}`, [
        `see what fills it: ${sshCommand(host, 'sudo', 'du', '-xh', disk.mount)} | sort -h | tail`,
      ]),
    );
  }
  if (plan?.daemon.action === 'restart' || plan === undefined) {
    const wall = firewallBlocks(facts.firewall, port);
    if (wall)
      found.push(
        problem(
          host,
          'E_FIREWALL',
          `its firewall (${wall.name}) lets nobody in on port ${port}`,
          wall.hints.map((hint) => `ssh ${host} sudo ${hint}`),
        ),
      );
  }
  return unique(found);
}

function checkContainers({ host, facts, plan }: PreflightInput): DockerTlsError[] {
  if (plan === undefined || plan.containers.how === 'untouched' || plan.containers.how === 'live-restore') return [];
  const view = viewDaemon(facts);
  if (plan.containers.how !== 'stop') {
    if (flagValues(view.flags, '--live-restore').length === 0) return [];
    return [
      problem(host, 'E_LIVE_RESTORE', 'live-restore is switched off by a flag of the unit, so containers would stop', [
        `take --live-restore=false out: ssh ${host} sudo systemctl edit docker.service`,
        'or let them stop: --containers may-stop',
      ]),
    ];
  }
  return [];
}

/** Swarm mode and the wish to keep containers do not go together: asked apart, since it depends on what the user said. */
export function swarmProblem(
  host: string,
  facts: HostFacts,
  containers: 'keep' | 'may-stop',
  plan: HostPlan,
): DockerTlsError[] {
  if (containers === 'may-stop' || plan.containers.how !== 'stop') return [];
  return [
    problem(
      host,
      'E_SWARM',
      `the host is in swarm mode, where live-restore does not work: ${plan.containers.running.length} containers would stop during the restart`,
      ['let them stop for a moment: --containers may-stop'],
      facts.docker.containers.slice(0, 20).map((container) => `would stop: ${container.name}`),
    ),
  ];
}

function unique(errors: readonly DockerTlsError[]): DockerTlsError[] {
  return [...new Map(errors.map((error) => [`${error.code}${error.message}`, error])).values()];
}
