/** The outcome of a change: the verification, and a table for several hosts. */

import { printable } from '../../errors/errors.ts';
import type { HostResult } from '../domain/host-results.ts';
import { type OtherCa, otherCaWords } from '../domain/other-ca.ts';
import type { HostOutcome, ProbeCheck } from '../domain/plan/outcome.ts';
import type { HostPlan } from '../domain/plan/plan-host.ts';
import { durationWords, plural } from '../domain/words.ts';
import type { Colours } from './colours.ts';
import { diffLines, paintDiff } from './diff.ts';
import { handOf } from './file-view.ts';
import { renderTable } from './table.ts';

/** One line for each connection. */
export function renderChecks(checks: readonly ProbeCheck[], colours: Colours): string {
  return checks
    .map((check) => {
      const tried = check.cause !== 'not-spoken-here';
      const mark = !check.ok ? colours.red('✗') : tried ? colours.green('✓') : colours.yellow('–');
      return `  ${mark} ${check.who}: ${printable(check.outcome)}`;
    })
    .join('\n');
}

/** Not verified, because the store has no certificate of these clients. */
export function renderOthers(otherCas: readonly OtherCa[], { yellow }: Colours): string[] {
  return otherCas.map((ca) => `  ${yellow('!')} ${printable(otherCaWords(ca))}: accepted as well (not tried)`);
}

/** The parts of a successful run that still need attention. */
export function renderAttention(results: readonly HostResult<HostOutcome>[]): string {
  const lines = results.flatMap((one) => {
    if (one.kind !== 'done') return [];
    const { plan, warnings } = one.value;
    return [...new Set([...plan.warnings, ...warnings])].map((text) => `${one.host}: ${printable(text)}`);
  });
  return lines.join('\n');
}

/** Host, result, changes, seconds. */
export function renderResults(
  results: readonly HostResult<HostOutcome>[],
  colours: Colours,
  columns: number | undefined,
): string {
  const warnings = results.flatMap((result) =>
    result.kind === 'done'
      ? renderWarnings(
          [...result.value.otherCas.map((ca) => `accepts ${otherCaWords(ca)}`), ...warningsOf(result.value)].map(
            (text) => `${result.host}: ${text}`,
          ),
          colours,
        )
      : [],
  );
  const table = renderTable(
    [{ title: 'HOST' }, { title: 'RESULT' }, { title: 'CHANGED', shrinkTo: 16 }, { title: 'SECONDS', align: 'right' }],
    results.map((result) => {
      if (result.kind === 'skipped')
        return [result.host, { text: 'skipped', style: colours.yellow }, result.reason, ''];
      const seconds = (result.elapsedMs / 1000).toFixed(1);
      if (result.kind === 'failed') {
        return [result.host, { text: 'failed', style: colours.red }, result.errors.at(-1)?.code ?? '', seconds];
      }
      return [result.host, { text: 'ok', style: colours.green }, whatChanged(result.value), seconds];
    }),
    { columns, titleStyle: colours.dim },
  );
  return [table, ...warnings].join('\n').trimEnd();
}

/** The change of a host, in a few words. */
function whatChanged(outcome: HostOutcome): string {
  if (!outcome.changed) return 'nothing to do';
  const parts = [];
  if (outcome.plan.credentials) parts.push('credentials');
  const files = outcome.plan.files.filter((change) => !change.path.startsWith('/etc/docker/tls/')).length;
  if (files > 0) parts.push(plural(files, 'file'));
  if (outcome.plan.daemon.action !== 'none') parts.push(outcome.plan.daemon.action);
  if (outcome.plan.listener.action !== 'none') parts.push(`listener: ${outcome.plan.listener.action}`);
  const edits = handEdits(outcome.plan).length;
  if (edits > 0) parts.push(`${edits} changed by hand replaced`);
  return parts.join(', ') || 'nothing to do';
}

/** Files whose manual edits since the last change were replaced. */
export function handEdits({ files }: HostPlan): readonly string[] {
  return files.filter((change) => change.drift === true).map((change) => change.path);
}

/** For a single host: the sentence at the end of a change. */
export function renderOutcome(outcome: HostOutcome, colours: Colours, { timed = true } = {}): string {
  const { plan, checks } = outcome;
  const head = `${colours.bold(outcome.host)}: ${headWords(outcome, timed ? durationWords(outcome.elapsedMs) : undefined)}`;
  if (plan.purpose !== 'apply') {
    // With --yes no plan was shown: this is the last chance to see that a manual edit is lost.
    const lost = plan.files.filter((change) => change.drift === true);
    return [
      head,
      ...(checks.length > 0 ? [renderChecks(checks, colours)] : []),
      ...renderOthers(outcome.otherCas, colours),
      ...renderWarnings([...new Set([...plan.warnings, ...outcome.warnings])], colours),
      ...lost.flatMap((change) => [
        ...renderWarnings([`${printable(change.path)}: manual edits are lost`], colours),
        ...paintDiff(diffLines(change.before ?? '', change.after ?? ''), colours),
      ]),
    ].join('\n');
  }
  const edits = plan.files.flatMap((change) => {
    const byHand = handOf(change);
    if (byHand === undefined) return [];
    const words = byHand === 'edited' ? 'manual edits are replaced' : `${byHand} by hand, and written again`;
    return [`${printable(change.path)}: ${words}`];
  });
  return [
    head,
    renderChecks(checks, colours),
    ...renderOthers(outcome.otherCas, colours),
    ...renderWarnings([...edits, ...warningsOf(outcome)], colours),
  ].join('\n');
}

function headWords({ changed, plan }: HostOutcome, took: string | undefined): string {
  const within = took === undefined ? '' : `, in ${took}`;
  if (!changed) return 'nothing to do, in sync';
  if (plan.purpose === 'remove') return `docker-tls removed, original configuration restored${within}`;
  return plan.purpose === 'rollback'
    ? `generation ${plan.returnsTo} is active again, as generation ${plan.generation}${within}`
    : `done${took === undefined ? '' : ` in ${took}`}, generation ${plan.generation}`;
}

/** Without a change, this is the only place that shows the plan's warnings. */
function warningsOf({ changed, plan, warnings }: HostOutcome): readonly string[] {
  return changed ? warnings : [...new Set([...plan.warnings.map((warning) => printable(warning)), ...warnings])];
}

/** The cost of a change, and its plan's warnings that the outcome does not have already. */
export function costLines({ host, changed, plan, warnings }: HostOutcome): readonly string[] {
  const more = changed ? plan.warnings.filter((warning) => !warnings.includes(warning)) : [];
  const lines = [...plan.costs.map((cost) => `costs: ${cost}`), ...more];
  return lines.map((line) => `${host}: ${printable(line)}`);
}

/** Warnings of a host during its change. */
export function renderWarnings(warnings: readonly string[], colours: Colours): readonly string[] {
  return warnings.map((text) => `  ${colours.yellow('!')} ${text}`);
}
