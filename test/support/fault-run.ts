/** Runs faults on several lab hosts in parallel, and reports the outcome of each. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  allFaults,
  type Change,
  DEATHS,
  type Fault,
  FaultHost,
  type FaultResult,
  type Listener,
  STEPS,
} from './faults.ts';
import { type LabHost, labUp, type Suite, suites, suitesWithoutSystemd } from './lab.ts';
import { isOwn } from './own-docker.ts';
import { pausingProgram } from './pausing.ts';

type FaultList = {
  readonly name: string;
  readonly suite: Suite;
  readonly faults: readonly Fault[];
  /** Who accepts clients; default: dockerd. */
  readonly listener?: Listener;
  /** Converts the host into another kind first. */
  readonly alter?: (host: LabHost) => Promise<void>;
};

/** Runs lists of faults, one list per host. `tell` gets each result as it arrives. */
export async function strikeHosts(
  lists: readonly FaultList[],
  tell: (result: FaultResult) => void,
): Promise<FaultResult[]> {
  const program = await pausingProgram();
  const homes: string[] = [];
  const results: FaultResult[] = [];
  try {
    await Promise.all(
      lists.map(async ({ name, suite, faults, listener, alter }) => {
        const packages = listener === 'haproxy' ? ['haproxy'] : [];
        const [host] = await labUp({ names: [name], suite, with: packages });
        if (host === undefined) throw new Error(`no host ${name}`);
        const home = mkdtempSync(join(tmpdir(), 'docker-tls-fault-home-'));
        homes.push(home);
        try {
          await alter?.(host);
          const one = new FaultHost(host, program, home, listener);
          await one.prepare();
          for (const fault of faults) {
            const result = await one.strike(fault);
            results.push(result);
            tell(result);
          }
        } finally {
          await host.down();
        }
      }),
    );
  } finally {
    program.remove();
    for (const home of homes) rmSync(home, { recursive: true, force: true });
  }
  return results;
}

export function resultLine({ fault, host, ended, wrong, exit, seconds }: FaultResult): string {
  const head = `${wrong.length === 0 ? 'sound ' : 'WRONG '} ${host.padEnd(16)} ${fault.step.padEnd(9)} ${fault.death.padEnd(18)} ${fault.change.padEnd(11)}`;
  return `${head} -> ${ended}  exit ${exit}  ${seconds.toFixed(1)} s${wrong.map((line) => `\n    ${line}`).join('')}`;
}

/** Units of other types than the package's: with most of them, systemd considers the daemon started before it answers. */
const UNITS: Readonly<Record<string, string>> = {
  simple: 'Type=simple',
  exec: 'Type=exec',
  idle: 'Type=idle',
  grouped: 'ExecStart=\nExecStart=/usr/sbin/dockerd -DH fd:// $DOCKER_OPTS',
  'without-fd': 'Type=exec\nExecStart=\nExecStart=/usr/sbin/dockerd $DOCKER_OPTS',
};

/** A drop-in cannot remove Requires=. */
const WITHOUT_SOCKET = `systemctl disable --now docker.socket
      sed '/^Requires=docker.socket/d' "$(systemctl show -p FragmentPath --value docker.service)" >/etc/systemd/system/docker.service`;

function alteredUnit(name: string): (host: LabHost) => Promise<void> {
  const text = UNITS[name];
  if (text === undefined) throw new Error(`--unit is one of ${Object.keys(UNITS).join(', ')}`);
  return async (host) => {
    await host.must(`mkdir -p /etc/systemd/system/docker.service.d && printf '%s\\n' '[Service]' '${text.replaceAll('\n', "' '")}' >/etc/systemd/system/docker.service.d/unit.conf
      ${name === 'without-fd' ? WITHOUT_SOCKET : ':'}
      systemctl daemon-reload && systemctl restart docker && sleep 2`);
  };
}

/** The command; returns the exit status. */
export async function runFaults(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      suite: { type: 'string', multiple: true },
      step: { type: 'string', multiple: true },
      death: { type: 'string', multiple: true },
      change: { type: 'string', multiple: true },
      hosts: { type: 'string', default: '2' },
      unit: { type: 'string' },
      listener: { type: 'string', default: 'dockerd' },
      part: { type: 'string', default: '1/1' },
      words: { type: 'boolean', default: false },
    },
  });
  const steps: readonly string[] = values.step ?? STEPS;
  const deaths: readonly string[] = values.death ?? DEATHS;
  const count = Number(values.hosts);
  const listener = values.listener as Listener;
  const [part = 1, parts = 1] = values.part.split('/').map(Number);
  const wanted = [
    ...suites,
    ...suitesWithoutSystemd,
    'podman' as const,
    'podman-trixie' as const,
    'rootless' as const,
    'rootless-sid' as const,
  ].filter((suite) => (values.suite ?? suites).includes(suite));
  const lists = wanted.flatMap((suite) => {
    const isPodman = suite.startsWith('podman');
    // Podman 5.4 serves no TLS itself.
    const faults = allFaults(wanted.indexOf(suite), listener, suite !== 'podman-trixie').filter(
      (fault, index) =>
        index % parts === part - 1 &&
        steps.includes(fault.step) &&
        deaths.includes(fault.death) &&
        // Init does not restart a daemon that dies once the change is kept.
        !(suitesWithoutSystemd.includes(suite) && fault.step === 'kept' && fault.death === 'daemon fails') &&
        // Podman has no check of its configuration, and no container needs protection.
        !(isPodman && (fault.step === 'protect' || (fault.step === 'validate' && listener === 'dockerd'))) &&
        // Its service is ours: from the middle of a removal, none runs.
        !(isPodman && fault.change === 'remove' && fault.death === 'daemon fails' && fault.step === 'kept') &&
        // Live-restore does not protect rootless containers.
        !(isOwn({ suite }) && fault.step === 'protect'),
    );
    const changes = values.change as readonly Change[] | undefined;
    const changed =
      changes === undefined ? faults : faults.flatMap((fault) => changes.map((change) => ({ ...fault, change })));
    // Small disks stay for the rest of a host's life: those faults come last.
    const ordered = [...changed].sort((a, b) => Number(a.death === 'disk full') - Number(b.death === 'disk full'));
    return Array.from({ length: count }, (_, index) => ({
      name: `fault-${listener === 'haproxy' ? 'haproxy-' : ''}${suite}-${index + 1}`,
      suite,
      faults: ordered.filter((_, at) => at % count === index),
      listener,
      ...(values.unit === undefined ? {} : { alter: alteredUnit(values.unit) }),
    })).filter(({ faults: own }) => own.length > 0);
  });
  const results = await strikeHosts(lists, (result) => {
    console.log(resultLine(result));
    if (values.words && result.wrong.length > 0) console.log(result.words.replace(/^/gm, '      | '));
  });
  const sound = results.filter(({ wrong }) => wrong.length === 0).length;
  const old = results.filter(({ ended }) => ended === 'old').length;
  console.log(`${results.length} faults, ${sound} sound (${old} ended old, ${results.length - old} new)`);
  return sound === results.length ? 0 : 1;
}
