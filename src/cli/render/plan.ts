/** Owns how a plan looks to people: what would change, file by file, and what it means for daemon, containers and clients. */

import { contextName } from '../../actions/context.ts';
import type { FileChange } from '../../domain/plan/file-change.ts';
import { type HostPlan, hasChanges } from '../../domain/plan/plan.ts';
import { maskPasswords } from '../../domain/secret.ts';
import { hangText, listWords, plural, textWidth, wrapText } from '../../domain/words.ts';
import type { PlannedHost } from '../../engine/intent.ts';
import type { HostResult } from '../../engine/pool.ts';
import { printable } from '../../errors/errors.ts';
import type { Colours } from './colours.ts';
import { renderDiff, renderLoss } from './diff.ts';
import { failureJson } from './outcome.ts';

const LABEL = 13;

/** The plan of one host. `verbose`: every new file in full, too. Sentences are broken at `columns`. */
export function renderPlan(
  planned: Pick<PlannedHost, 'plan' | 'facts' | 'address' | 'names' | 'spec'> &
    Partial<Pick<PlannedHost, 'accepts'>> & {
      /** Docker contexts of this computer that go with the host. */
      readonly contexts?: readonly string[];
    },
  colours: Colours,
  verbose = false,
  columns = Number.POSITIVE_INFINITY,
): string {
  const { plan, facts, address, names, spec } = planned;
  const lines: string[] = [];
  const row = (label: string, text: string, style = colours.dim): void => {
    const [first = '', ...rest] = wrapText(text, Math.max(24, columns - LABEL - 3));
    lines.push(`  ${style(label.padEnd(LABEL))}${first}`);
    lines.push(...rest.map((line) => `${' '.repeat(LABEL + 2)}${line}`));
  };
  const where = `${address}:${plan.port}`;
  const what = printable(`${facts.os}, Docker ${facts.docker.version}`);
  const fits = textWidth(`${plan.host}  ${where}  ${what}`) <= columns;
  lines.push(`${colours.bold(plan.host)}  ${where}${fits ? '  ' : '\n  '}${colours.dim(what)}`);
  if (!hasChanges(plan)) {
    lines.push(`  ${colours.green('nothing to do')}: it is as it should be`);
    for (const warning of plan.warnings) row('warning', printable(warning), colours.yellow);
    return lines.join('\n');
  }
  if (plan.credentials && plan.purpose === 'apply') {
    const { certificate, reason } = plan.credentials;
    row(
      'issue' in certificate ? 'certificate' : 'credentials',
      'issue' in certificate ? `new: ${certificate.issue.reason}` : reason,
    );
    row('names', names.map((name) => name.value).join(', '));
    if (planned.accepts !== undefined && planned.accepts.length > 0) row('accepts', listWords(planned.accepts, 12));
  }
  for (const change of plan.files) lines.push(...renderChange(change, colours, verbose).map((line) => `  ${line}`));
  row('daemon', plan.daemon.action === 'none' ? 'untouched' : `one ${plan.daemon.action}: ${plan.daemon.reason}`);
  row('containers', containerWords(plan));
  if (plan.daemon.action === 'restart' && plan.listening !== 'none') {
    row(
      'clients',
      plan.listening === 'systemd'
        ? 'wait during the restart: systemd holds the port'
        : 'are refused for a moment during the restart',
    );
  }
  const context = plan.purpose === 'apply' ? contextName(spec) : undefined;
  if (context !== undefined)
    row('here', `docker context ${context} leads there${spec.use ? ', and is the one in use from then on' : ''}`);
  if (planned.contexts !== undefined && planned.contexts.length > 0)
    row('here', `docker context ${listWords(planned.contexts, 12)} goes`);
  row('rollback', `automatic after ${spec.confirmWithin} s unless this machine confirms`);
  for (const cost of plan.costs) row('costs', printable(cost), colours.yellow);
  for (const warning of plan.warnings) row('warning', printable(warning), colours.yellow);
  return lines.join('\n');
}

/** The plans of several hosts, what would change in full, the rest in one line. */
export function renderPlans(
  results: readonly HostResult<PlannedHost>[],
  colours: Colours,
  verbose: boolean,
  columns?: number,
): string {
  const plans = results.flatMap((result) => (result.kind === 'done' ? [result.value] : []));
  const changing = plans.filter(({ plan }) => hasChanges(plan));
  const still = plans.filter(({ plan }) => !hasChanges(plan));
  if (results.length === 1 && plans[0] !== undefined) return renderPlan(plans[0], colours, verbose, columns);
  const names = listWords(
    still.map(({ spec }) => spec.name),
    12,
  );
  return [
    ...changing.map((planned) => renderPlan(planned, colours, verbose, columns)),
    ...(still.length > 0 ? [`${colours.green('nothing to do')} on ${plural(still.length, 'host')}: ${names}`] : []),
    ...warningsOf(still).map(({ warning, hosts }) =>
      hangText(`${colours.yellow('warning')}  ${listWords(hosts, 6)}: ${printable(warning)}`, columns, 9),
    ),
    `${changing.length} of ${plural(results.length, 'host')} would change`,
  ].join('\n\n');
}

/** Each warning once, with the hosts that have it. */
function warningsOf(plans: readonly PlannedHost[]): { warning: string; hosts: string[] }[] {
  const all = new Map<string, string[]>();
  for (const { plan, spec } of plans) {
    for (const warning of plan.warnings) all.set(warning, [...(all.get(warning) ?? []), spec.name]);
  }
  return [...all].map(([warning, hosts]) => ({ warning, hosts }));
}

/** The same for the JSON document. */
export function plansJson(results: readonly HostResult<PlannedHost>[]): { changes: number; hosts: unknown[] } {
  const hosts = results.map((one) => {
    if (one.kind === 'skipped') return { host: one.host, result: 'skipped', reason: one.reason };
    if (one.kind === 'failed') return failureJson(one);
    const { plan, address, accepts } = one.value;
    return {
      host: one.host,
      result: 'ok',
      changes: hasChanges(plan),
      address,
      clients: accepts,
      plan,
      seconds: one.elapsedMs / 1000,
    };
  });
  const changes = results.filter((one) => one.kind === 'done' && hasChanges(one.value.plan)).length;
  return { changes, hosts };
}

/** What becomes of containers; `untouched` and `stop` of those that the daemon does not list. */
const FATE: Readonly<Record<HostPlan['containers']['how'], (count: number) => string>> = {
  untouched: (count) => `${count === 1 ? 'is' : 'are'} not touched`,
  'live-restore': (count) => `${keeps(count)} (live-restore is on)`,
  temporary: (count) => `${keeps(count)} (live-restore is on for the restart, then off again)`,
  'switched-on': (count) => `${keeps(count)} (live-restore is switched on)`,
  stop: (count) => `${count === 1 ? 'stops, and starts' : 'stop, and start'} again by their restart policy`,
};

function keeps(count: number): string {
  return `${count === 1 ? 'keeps' : 'keep'} running`;
}

function containerWords(plan: HostPlan): string {
  const { running, how, wouldStop, unlisted } = plan.containers;
  if (unlisted) return `the daemon does not say which run; those that do ${FATE[how](2)}`;
  if (running.length === 0)
    return how === 'temporary' || how === 'switched-on'
      ? 'none is running; one that starts until the restart keeps running'
      : 'none is running';
  const names = listWords(
    running.map((container) => container.name),
    6,
  );
  switch (how) {
    case 'untouched':
      return `${plural(running.length, 'container')} untouched: ${names}`;
    case 'stop': {
      const stay = running.filter(({ restart }) => restart === 'no' || restart === '').map(({ name }) => name);
      const what = `${plural(wouldStop.length, 'container')} ${wouldStop.length === 1 ? 'stops' : 'stop'}: ${names}`;
      return stay.length === 0
        ? `${what}; all of them start again by themselves`
        : `${what}; without a restart policy, and so stopped until somebody starts them: ${listWords(stay, 6)}`;
    }
    default:
      return `${plural(running.length, 'container')} ${FATE[how](running.length)}: ${names}`;
  }
}

function renderChange(change: FileChange, colours: Colours, verbose: boolean): string[] {
  const path = printable(change.path);
  const drift = change.drift ? colours.yellow('  (edited by hand since)') : '';
  const why = change.reason ? colours.dim(`  ${change.reason}`) : '';
  switch (change.kind) {
    case 'link':
      return [
        `${colours.green(change.before === undefined ? '+' : '~')} ${path} -> ${printable(change.to ?? '')}${drift}`,
      ];
    case 'absent':
      return [`${colours.red('-')} ${path}${drift}`, ...(change.drift ? renderLoss(change, colours) : [])];
    case 'attributes':
      return [`${colours.yellow('~')} ${path}  mode ${change.mode}, owner ${change.owner}${why}`];
    case 'sysctl':
      return [`${colours.yellow('~')} running kernel: ${path} = ${change.mode}${why}`];
    case 'member':
      return [`${colours.yellow('~')} ${change.mode === 'present' ? 'add to' : 'take out of'} group: ${path}${why}`];
    case 'file':
      if (change.before === undefined)
        return [
          `${colours.green('+')} ${path}${drift}${why}`,
          ...(verbose
            ? (change.after ?? '').split('\n').map((line) => colours.green(`    + ${printable(maskPasswords(line))}`))
            : []),
        ];
      if (change.before === change.after) return [`${colours.yellow('~')} ${path}  mode ${change.mode}${drift}${why}`];
      return [
        `${colours.yellow('~')} ${path}${drift}${why}`,
        ...renderDiff(change.before, change.after ?? '', colours),
      ];
  }
}
