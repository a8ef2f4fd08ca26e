/** A plan: its changes, file by file, and its effects on daemon, containers and clients. */

import { printable } from '../../errors/errors.ts';
import type { AgreedHost } from '../actions/results.ts';
import type { HostResult } from '../domain/host-results.ts';
import { hostContextName } from '../domain/hosts/specs.ts';
import { hasPort } from '../domain/network-port.ts';
import { otherCaWords } from '../domain/other-ca.ts';
import { kindOf } from '../domain/plan/host-kind.ts';
import { type HostPlan, hasChanges } from '../domain/plan/plan-host.ts';
import { hangText, listWords, plural, textWidth, wrapText } from '../domain/words.ts';
import type { Colours } from './colours.ts';
import { type FileView, fileView, renderFileView } from './file-view.ts';

const LABEL = 13;

type PlanForm = {
  readonly colours: Colours;
  /** Every host separately, even if several change in the same way. */
  readonly verbose?: boolean;
  /** Also the content of new files. */
  readonly diff?: boolean;
  /** Width for wrapping sentences. */
  readonly columns?: number | undefined;
};

type Shown = Pick<AgreedHost, 'plan' | 'facts' | 'address' | 'spec'> &
  Partial<Pick<AgreedHost, 'accepts' | 'otherCas'>>;

/** The plan of one host. */
export function renderPlan(planned: Shown, form: PlanForm): string {
  const { colours, columns = Number.POSITIVE_INFINITY } = form;
  const { plan, facts, address, spec } = planned;
  const where = hasPort(spec) ? `${address}:${plan.port}` : `${address}, no port`;
  const what = printable(`${facts.os}, ${kindOf(facts).engine.title} ${facts.docker.version}`);
  const fits = textWidth(`${plan.host}  ${where}  ${what}`) <= columns;
  const head = `${colours.bold(plan.host)}  ${where}${fits ? '  ' : '\n  '}${colours.dim(what)}`;
  const warnings = plan.warnings.map((text) => row(form, 'warning', printable(text), colours.yellow));
  const body = hasChanges(plan) ? changeLines([planned], form) : [`  ${colours.green('nothing to do')}, in sync`];
  const others = (planned.otherCas ?? []).map((ca) =>
    row(form, 'accepts', printable(otherCaWords(ca)), colours.yellow),
  );
  return [head, ...body, ...others, ...warnings].join('\n');
}

function row(
  { columns = Number.POSITIVE_INFINITY, colours }: PlanForm,
  label: string,
  text: string,
  style = colours.dim,
) {
  const [first = '', ...rest] = wrapText(text, Math.max(24, columns - LABEL - 3));
  return [`  ${style(label.padEnd(LABEL))}${first}`, ...rest.map((line) => `${' '.repeat(LABEL + 2)}${line}`)].join(
    '\n',
  );
}

/** Changes and effects: for one host, or for several that change in the same way (`likeness`). */
function changeLines(hosts: readonly Shown[], form: PlanForm): string[] {
  const { colours, diff = false } = form;
  const [{ plan, spec, accepts = [] }] = hosts as [Shown];
  const lines: string[] = [];
  const add = (label: string, text: string, style = colours.dim) => lines.push(row(form, label, text, style));
  if (plan.credentials && plan.purpose === 'apply') {
    add(...credentialWords(plan.credentials));
    const { certificate } = plan.credentials;
    if ('issue' in certificate && hosts.length === 1)
      add('names', certificate.issue.names.map(({ value }) => value).join(', '));
    if (accepts.length > 0) add('accepts', listWords(accepts, 12));
  }
  for (const view of hosts.length === 1
    ? plan.files.map((change) => fileView(change, diff))
    : sharedViews(hosts[0] as Shown, diff))
    lines.push(...renderFileView(view, colours).map((line) => `  ${line}`));
  const port = portWords(plan);
  if (port !== undefined) add('port', port);
  add('daemon', plan.daemon.action === 'none' ? 'untouched' : `one ${plan.daemon.action}: ${plan.daemon.reason}`);
  const { packages } = plan.listener;
  if (packages.length > 0)
    add('packages', `installed first, from the host's own sources: ${packages.join(', ')}; remove takes them away`);
  if (plan.listener.action !== 'none') add('listener', `one ${plan.listener.action}: ${plan.listener.reason}`);
  add('containers', hosts.length === 1 ? containerWords(plan) : containersOf(hosts));
  const restarts = [plan.daemon.action, plan.listener.action].includes('restart');
  if (plan.daemon.action === 'restart' && plan.listening !== 'none') add('clients', OVER_RESTART[plan.listening]);
  if (restarts) add('streams', 'end with the restart: logs -f, attach, exec, build, events');
  const contexts = plan.purpose === 'apply' ? hosts.flatMap((one) => hostContextName(one.spec) ?? []) : [];
  if (contexts.length === 1)
    add('here', `docker context ${contexts[0]} points there${spec.use ? ', and becomes the current one' : ''}`);
  else if (contexts.length > 1) add('here', `docker contexts ${listWords(contexts, 6)} point there`);
  add('rollback', `automatic after ${spec.confirmWithin} s unless this machine confirms`);
  for (const cost of plan.costs) add('costs', printable(cost), colours.yellow);
  return lines;
}

function credentialWords({ certificate, reason }: NonNullable<HostPlan['credentials']>): [label: string, text: string] {
  return 'issue' in certificate ? ['certificate', `new: ${certificate.issue.reason}`] : ['credentials', reason];
}

function portWords({ port, formerPort }: HostPlan): string | undefined {
  return formerPort === undefined ? undefined : `${port} (was ${formerPort})`;
}

const OVER_RESTART = {
  systemd: 'new connections wait during the restart: systemd holds the port',
  firewall: 'new connections wait during the restart: a firewall rule delays them until dockerd listens again',
  daemon: 'are refused for a moment during the restart',
};

/** For several hosts: a list of names would fill the screen. */
function containersOf(hosts: readonly Shown[]): string {
  const [first] = hosts as [Shown];
  const { how } = first.plan.containers;
  const count = hosts.reduce((sum, { plan }) => sum + plan.containers.running.length, 0);
  if (count === 0) return containerWords(first.plan);
  return how === 'stop'
    ? `${plural(count, 'container')} ${count === 1 ? 'stops' : 'stop'} (which: -v)`
    : `${plural(count, 'container')} ${FATE[how](count)}`;
}

/** The file views of several hosts, without their generation numbers. */
function sharedViews({ plan, facts }: Shown, diff: boolean): FileView[] {
  return plan.files.filter(({ path }) => path !== facts.places.current).map((change) => fileView(change, diff));
}

/** The equality key of a host's plan: hosts with the same likeness have plans that differ only in names, addresses and container names. */
function likeness(host: Shown, { diff = false }: PlanForm): string {
  const { plan, spec, accepts } = host;
  const { how, running, unlisted } = plan.containers;
  const alone = how === 'stop' || unlisted ? plan.host : undefined;
  const { purpose, port, formerPort, daemon, listener, listening, costs, credentials } = plan;
  const change = {
    purpose,
    port,
    formerPort,
    daemon,
    listener,
    listening,
    costs,
    credentials: credentials && credentialWords(credentials),
  };
  const here = { context: hostContextName(spec) !== undefined, use: spec.use, confirmWithin: spec.confirmWithin };
  return JSON.stringify([alone, change, sharedViews(host, diff), accepts, how, running.length > 0, here]);
}

/** Planned, with pending changes. */
export function isChanging(one: HostResult<AgreedHost>): boolean {
  return one.kind === 'done' && hasChanges(one.value.plan);
}

function inGroups(hosts: readonly AgreedHost[], keyOf: (host: AgreedHost) => string): AgreedHost[][] {
  const groups = new Map<string, AgreedHost[]>();
  for (const host of hosts) {
    const key = keyOf(host);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [host]);
    else group.push(host);
  }
  return [...groups.values()];
}

/** A plan of several hosts that is longer than this has a line for each change, unless `verbose` or `diff`. */
const MOST_LINES = 20;

/** The plans of several hosts: their sum, equal changes as one, unchanged hosts in one line. */
export function renderPlans(results: readonly HostResult<AgreedHost>[], form: PlanForm): string {
  const { colours, columns, verbose = false, diff = false } = form;
  const plans = results.flatMap((result) => (result.kind === 'done' ? [result.value] : []));
  if (results.length === 1 && plans[0] !== undefined) return renderPlan(plans[0], form);
  const changing = plans.filter(({ plan }) => hasChanges(plan));
  const still = plans.filter(({ plan }) => !hasChanges(plan));
  const groups = inGroups(changing, (planned) => (verbose ? planned.plan.host : likeness(planned, form)));
  const folded = groups.filter((group) => group.length > 1);
  const alone = groups.filter((group) => group.length === 1).flat();
  const names = (of: readonly AgreedHost[]) =>
    listWords(
      of.map(({ spec }) => spec.name),
      verbose ? undefined : 12,
    );
  const whole = [
    ...folded.map((group) => {
      const head = hangText(`${plural(group.length, 'host')} in the same way: ${names(group)}`, columns, 2);
      return [colours.bold(head), ...changeLines(group, form)].join('\n');
    }),
    ...alone.map((planned) => renderPlan(planned, form)),
  ];
  const brief = !verbose && !diff && groups.length > 1 && whole.join('\n\n').split('\n').length > MOST_LINES;
  // The plan of a single host names its own warnings.
  const together = [...(brief ? changing : folded.flat()), ...still];
  const others = onceOf(together, ({ otherCas = [] }) => otherCas.map(otherCaWords));
  const warnings = onceOf(together, ({ plan }) => plan.warnings);
  const costs = brief ? onceOf(changing, ({ plan }) => plan.costs) : [];
  const note = (label: string, text: string) =>
    hangText(`${colours.yellow(label.padEnd(9))}${printable(text)}`, columns, 9);
  return [
    ...(plans.length > 0 ? [sumOf(changing, still.length, results.length - plans.length)] : []),
    ...(brief
      ? [[...groups.map((group) => briefLine(group, names(group), form)), '  (in full: -v)'].join('\n')]
      : whole),
    ...(still.length > 0
      ? [`${colours.green('nothing to do')} on ${plural(still.length, 'host')}, in sync: ${names(still)}`]
      : []),
    ...costs.map(({ text, hosts }) => note('costs', `${listWords(hosts, 6)}: ${text}`)),
    ...others.map(({ text, hosts }) => note('accepts', `${text}: ${listWords(hosts, 6)}`)),
    ...warnings.map(({ text, hosts }) => note('warning', `${listWords(hosts, 6)}: ${text}`)),
  ].join('\n\n');
}

/** `3 to change: 2 restarts, 1 listener reload, 0 containers stop; 1 in sync`. */
function sumOf(changing: readonly AgreedHost[], still: number, unplanned: number): string {
  const counted = (count: number, one: string) => (count > 0 ? [plural(count, one)] : []);
  const actions = (of: 'daemon' | 'listener', one: string) =>
    changing.filter(({ plan }) => plan[of].action === one).length;
  const stopping = changing.filter(({ plan }) => plan.containers.how === 'stop').map(({ plan }) => plan.containers);
  const stops = stopping.reduce((sum, { wouldStop }) => sum + wouldStop.length, 0);
  // A daemon that does not answer lists none.
  const more = stopping.some(({ unlisted }) => unlisted) ? 'at least ' : '';
  const moved = changing.filter(({ plan }) => portWords(plan) !== undefined).length;
  const parts = [
    plural(actions('daemon', 'restart'), 'restart'),
    ...counted(actions('daemon', 'reload'), 'reload'),
    ...['start', 'restart', 'reload', 'stop'].flatMap((one) => counted(actions('listener', one), `listener ${one}`)),
    ...counted(moved, 'port change'),
    `${more}${plural(stops, 'container')} ${stops === 1 ? 'stops' : 'stop'}`,
  ];
  return [
    changing.length === 0 ? '0 to change' : `${changing.length} to change: ${parts.join(', ')}`,
    ...(still > 0 ? [`${still} in sync`] : []),
    ...(unplanned > 0 ? [`${unplanned} could not be planned`] : []),
  ].join('; ');
}

/** One line for hosts that change in the same way. */
function briefLine(hosts: readonly AgreedHost[], names: string, { colours, columns }: PlanForm): string {
  const [{ plan, accepts = [] }] = hosts as [AgreedHost];
  const edits = plan.files.filter(({ drift }) => drift === true).length;
  const parts = [
    ...(plan.credentials ? [credentialWords(plan.credentials)[0]] : []),
    ...(plan.files.length > 0 ? [plural(plan.files.length, 'file')] : []),
    ...(edits > 0 ? [`${edits} of them changed by hand`] : []),
    ...(plan.daemon.action === 'none' ? [] : [plan.daemon.action]),
    ...(plan.listener.action === 'none' ? [] : [`listener ${plan.listener.action}`]),
    ...(portWords(plan) === undefined ? [] : [`port ${portWords(plan)}`]),
  ].join(', ');
  const count = hosts.reduce((sum, one) => sum + one.plan.containers.running.length, 0);
  const containers = count > 0 || plan.containers.unlisted ? `; ${containersOf(hosts).replace(/ \(.*/, '')}` : '';
  const clients = plan.credentials && accepts.length > 0 ? `; accepts ${listWords(accepts, 4)}` : '';
  const text = `${names}: ${parts}${containers}${clients}`;
  return `  ${colours.bold('~')} ${hangText(text, columns === undefined ? undefined : columns - 4, 4)}`;
}

/** Each text once, with its hosts. */
function onceOf(
  plans: readonly AgreedHost[],
  textsOf: (plan: Partial<AgreedHost> & Pick<AgreedHost, 'plan'>) => readonly string[],
): { text: string; hosts: string[] }[] {
  const all = new Map<string, string[]>();
  for (const one of plans) for (const text of textsOf(one)) all.set(text, [...(all.get(text) ?? []), one.spec.name]);
  return [...all].map(([text, hosts]) => ({ text, hosts }));
}

/** The effect on containers; `untouched` and `stop` for containers that the daemon does not list. */
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
        ? `${what}; all of them start again automatically`
        : `${what}; without a restart policy, and so stopped until started by hand: ${listWords(stay, 6)}`;
    }
    default:
      return `${plural(running.length, 'container')} ${FATE[how](running.length)}: ${names}`;
  }
}
