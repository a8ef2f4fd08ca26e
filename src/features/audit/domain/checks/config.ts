/** Checks of the daemon's configuration beyond the benchmark. */

import { givenTwice, isOn, setting } from '../../../../core/domain/dockerd/daemon-options.ts';
import { textAt } from '../../../../core/domain/json.ts';
import type { AuditFacts } from '../audit-facts.ts';
import {
  type Check,
  checksOf,
  type Evidence,
  findingAt,
  judge,
  notApplicable,
  PASS,
  UNANSWERED,
  type Verdict,
} from '../check.ts';
import { settingPlace } from '../setting-place.ts';

/** The first Docker version that ignores a byte order mark in daemon.json. */
const FIRST_OVER_MARKS = 23;

function daemonJson(facts: AuditFacts): Verdict {
  const { path, text, errors } = facts.daemon.json;
  if (text === undefined) return notApplicable(`there is no ${path}`);
  const version = Number.parseInt(textAt(facts.docker?.info, 'ServerVersion'), 10);
  const marked = text.startsWith('\ufeff') && version < FIRST_OVER_MARKS;
  const mark = { line: 1, reason: 'begins with a byte order mark' };
  return judge(
    [...(marked ? [mark] : []), ...errors.slice(0, 3)].map(({ line, reason }) => ({
      place: path,
      text: `line ${line}: ${reason}`,
    })),
  );
}

function conflicts(facts: AuditFacts): Verdict {
  if (facts.daemon.words === undefined) return notApplicable('there is no dockerd');
  return judge(
    givenTwice(facts.daemon).map((name) => ({
      place: facts.daemon.json.path,
      text: `${name} is also given as a flag: dockerd will not start again`,
    })),
  );
}

/** Units that pass sockets to dockerd, and their permissions. */
function sockets(facts: AuditFacts): Verdict {
  const feeding = [...facts.units].filter(([, unit]) =>
    (unit.get('Triggers') ?? []).some((units) => units.split(' ').includes('docker.service')),
  );
  if (feeding.length === 0) return notApplicable('no socket unit starts docker');
  const verified = isOn(facts.daemon, 'tlsverify', false);
  return judge(
    feeding.flatMap(([id, unit]): readonly Evidence[] => {
      const place = unit.get('FragmentPath')?.[0] ?? id;
      const mode = Number.parseInt(unit.get('SocketMode')?.[0] ?? '0', 8);
      return (unit.get('Listen') ?? []).flatMap((listen): readonly Evidence[] => {
        if (listen.startsWith('/')) {
          return (mode & 0o006) === 0
            ? []
            : [
                {
                  place,
                  text: `SocketMode=${mode.toString(8).padStart(4, '0')} lets every local user control docker`,
                },
              ];
        }
        return verified ? [] : [{ place, text: `${listen} is handed to dockerd without verified TLS` }];
      });
    }),
  );
}

function logLimits(facts: AuditFacts): Verdict {
  if (facts.docker === undefined) return UNANSWERED;
  const driver = textAt(facts.docker.info, 'LoggingDriver');
  if (driver !== 'json-file' && driver !== 'local') return notApplicable(`the log driver is ${driver}`);
  if (driver === 'local') return PASS; // 5 files of 20 MB by default (Docker docs, "Local file logging driver")
  const options = setting(facts.daemon, 'log-opts')?.values ?? [];
  if (options.some((option) => /^max-size=(?!-1$).+/.test(option))) return PASS;
  return findingAt(
    settingPlace(facts.daemon, 'log-opts'),
    'json-file without max-size: one talkative container fills the disk',
  );
}

/** Half of the checks need the API: without an answer, none of them may pass. */
function apiAnswers(facts: AuditFacts): Verdict {
  const { docker, daemon, apiSocket, apiStatus } = facts;
  if (docker !== undefined) {
    const { containers, containerCount, images, imageCount } = docker;
    if (containers.length >= containerCount && images.length >= imageCount) return PASS;
    const text = `${containers.length} of ${containerCount} containers and ${images.length} of ${imageCount} images were audited: the first ones, running containers before stopped ones`;
    return findingAt('dockerd', text, 'info');
  }
  if (daemon.words === undefined && apiSocket === '') return notApplicable('there is no dockerd');
  if (apiSocket === '') {
    const text = daemon.running ? 'runs, but has no socket where it should be' : 'does not run';
    return findingAt('dockerd', text);
  }
  const text =
    apiStatus === undefined
      ? 'cannot be queried: the host has neither curl nor perl, python3 or docker'
      : apiStatus === 0
        ? 'did not answer'
        : `answered with status ${apiStatus}`;
  return findingAt(apiSocket, text);
}

export const CONFIG_CHECKS: readonly Check[] = checksOf<Check>({
  'config.1': {
    title: 'daemon.json can be read by dockerd',
    failure: 'dockerd cannot read daemon.json',
    severity: 'high',
    why: 'A file that dockerd cannot read is found out at its next start, and then nothing starts.',
    fix: 'Fix the line; dockerd --validate (23.0 and later) checks it.',
    evaluate: daemonJson,
  },
  'config.2': {
    title: 'No setting is given both as a flag and in daemon.json',
    failure: 'A setting is given both as a flag and in daemon.json',
    severity: 'high',
    why: 'dockerd refuses to start then, even when both are equal.',
    fix: 'Keep one of the two: see systemctl cat docker.service and daemon.json.',
    evaluate: conflicts,
  },
  'config.3': {
    title: 'Socket units of Docker are protected',
    failure: 'A socket unit of Docker is open',
    severity: 'critical',
    why: 'A socket unit opens its port before dockerd starts, and flags do not show it.',
    fix: (host) => `docker-tls setup ${host}, or SocketMode=0660 in the unit`,
    evaluate: sockets,
  },
  'config.4': {
    title: 'Logs of containers are limited',
    failure: 'Logs of containers grow without limit',
    severity: 'medium',
    why: 'A full disk stops the whole host.',
    fix: '"log-opts": { "max-size": "10m", "max-file": "3" } in daemon.json (for containers created from then on)',
    fixable: 'log-limits',
    evaluate: logLimits,
  },
  'config.5': {
    title: "Docker's API tells the audit everything",
    failure: "Docker's API did not tell the audit everything",
    severity: 'critical',
    why: 'The audit learns of containers, images and most settings from it. While it does not answer, there is no score.',
    fix: 'systemctl status docker.service; journalctl -u docker.service -n 50; then audit again',
    evaluate: apiAnswers,
  },
});
