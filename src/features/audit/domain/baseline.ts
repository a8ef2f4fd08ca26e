/** Baseline file: accepted findings, each with a reason and an expiry date. */

import { LineCounter, parseDocument, stringify } from 'yaml';
import { at, entriesAt, listAt, textAt } from '../../../core/domain/json.ts';
import { nearestNames } from '../../../core/domain/nearest.ts';
import { plural } from '../../../core/domain/words.ts';
import { DockerTlsError, DockerTlsErrors, usage } from '../../../errors/errors.ts';
import { type Benchmark, idIn, NEWEST } from './benchmark.ts';
import { CHECKS, type CheckResult, counts, withAccepted } from './evaluate.ts';
import { COMPOSE_CHECKS } from './files/compose.ts';
import { DOCKERFILE_CHECKS } from './files/dockerfile.ts';
import { type AuditedFile, fileName } from './report/report.ts';

export type AcceptedFinding = {
  /** A check ID; a final `*` is a wildcard: `1.1.*`. An ID that matches no check is an error, since it would accept nothing. */
  readonly check: string;
  /** Host name or file path; undefined: all. */
  readonly host?: string;
  /** Place of the evidence; undefined: all. */
  readonly place?: string;
  /** Text of the evidence; undefined: all. In a Dockerfile every RUN is one place. */
  readonly text?: string;
  readonly reason: string;
  /** `2027-06-30`: the last accepted day (UTC). */
  readonly expires: string;
};

export type Baseline = { readonly accept: readonly AcceptedFinding[] };

const KEYS = ['check', 'host', 'place', 'text', 'reason', 'expires'];

/**
 * Parses a baseline, YAML or JSON: `accept:` and a list of `{ check, host?, place?, text?, reason, expires }`. Check numbers are
 * those of `benchmark`. Throws DockerTlsErrors with all mistakes, each with its line.
 */
export function parseBaseline(text: string, path: string, benchmark: Benchmark = NEWEST): Baseline {
  const ids = [...CHECKS, ...COMPOSE_CHECKS, ...DOCKERFILE_CHECKS].flatMap(({ id }) => idIn(id, benchmark) ?? []);
  const counter = new LineCounter();
  // failsafe: every scalar is text, so 2.10 does not become 2.1.
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false, schema: 'failsafe' });
  const errors: DockerTlsError[] = [];
  function wrong(message: string, line: number): void {
    errors.push(
      new DockerTlsError('E_BASELINE', message, {
        where: `${path}:${line}`,
        hints: ['accept: [{ check: "2.10", reason: "…", expires: 2027-06-30 }]'],
      }),
    );
  }
  for (const error of document.errors) wrong(error.message, counter.linePos(error.pos[0]).line);
  if (errors.length > 0) throw new DockerTlsErrors(errors);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 50 });
  } catch (cause) {
    wrong(cause instanceof Error ? cause.message : 'cannot be read', 1);
    throw new DockerTlsErrors(errors);
  }
  for (const [key] of entriesAt(value)) if (key !== 'accept') wrong(`"${key}" is not known; there is only "accept"`, 1);
  const accept: AcceptedFinding[] = [];
  for (const [index, item] of listAt(value, 'accept').entries()) {
    const node = document.getIn(['accept', index], true) as { range?: readonly number[] } | undefined;
    const line = counter.linePos(node?.range?.[0] ?? 0).line;
    const before = errors.length;
    for (const [key] of entriesAt(item))
      if (!KEYS.includes(key)) wrong(`accept[${index}]: "${key}" is not known`, line);
    const check = textAt(item, 'check');
    const expires = textAt(item, 'expires');
    if (!/^([a-z0-9.]+\*?|\*)$/.test(check)) wrong(`accept[${index}].check: the id of a check is missing`, line);
    else if (!ids.some((id) => matchesCheck(check, id))) {
      const near = nearestNames(check, ids);
      wrong(
        `accept[${index}].check: there is no check ${check}${near.length > 0 ? `, but ${near.join(', ')}` : ''}`,
        line,
      );
    }
    if (textAt(item, 'reason').trim() === '') wrong(`accept[${index}].reason: say why it is accepted`, line);
    // An entry without host, place or text applies everywhere; an unreadable value must not have that effect.
    for (const key of ['host', 'place', 'text'] as const) {
      if (at(item, key) !== undefined && textAt(item, key) === '')
        wrong(`accept[${index}].${key}: has to be one text; for several, write an entry for each`, line);
    }
    if (!isDay(expires)) {
      wrong(`accept[${index}].expires: a day is missing, such as 2027-06-30`, line);
    }
    if (errors.length > before) continue;
    accept.push({
      check,
      host: textAt(item, 'host') || undefined,
      place: textAt(item, 'place') || undefined,
      text: textAt(item, 'text') || undefined,
      reason: textAt(item, 'reason').trim(),
      expires,
    });
  }
  if (value !== null && value !== undefined && !Array.isArray((value as { accept?: unknown }).accept)) {
    wrong('"accept" has to be a list', 1);
  }
  if (errors.length > 0) throw new DockerTlsErrors(errors);
  return { accept };
}

type Acceptable = { readonly reason?: string | undefined; readonly expires?: string | undefined };

/** Fails with E_USAGE (exit 2) without a file, a reason and a last day, or with these and no file to write. */
export function requireAcceptance(
  { writeBaseline, reason = '', expires = '' }: Acceptable & { readonly writeBaseline?: string | undefined },
  now: Date,
): void {
  const hints = ['--write-baseline accepted.yaml --reason "accepted until the move" --expires 2027-06-30'];
  if (writeBaseline === undefined) {
    if (reason !== '' || expires !== '') throw usage('--reason and --expires belong to --write-baseline', hints);
    return;
  }
  if (writeBaseline === '-') throw usage('--write-baseline needs a file: standard output has the report', hints);
  if (reason.trim() === '' || !isDay(expires) || expires < dayOf(now))
    throw usage('--write-baseline needs a reason, and a last day that is not over', hints);
}

function dayOf(now: Date): string {
  return now.toISOString().slice(0, 10);
}

/** A baseline of all open findings of a report, and the entries of `before` that still hold: each place of a finding is an entry. */
export function renderBaseline(
  subjects: readonly (Pick<AuditedFile, 'name' | 'results'> & { readonly kind: 'host' | AuditedFile['kind'] })[],
  { reason = '', expires = '' }: Acceptable,
  before: Baseline | undefined,
  now: Date,
): string {
  const kept = before?.accept.filter((entry) => entry.expires >= dayOf(now)) ?? [];
  const open = subjects.flatMap(({ kind, name, results }) =>
    results.filter(counts).flatMap(({ id, evidence }) => {
      const entries = evidence.map(({ place, text }) => ({
        // Every RUN of a Dockerfile has the same place.
        ...{ check: id, host: name, place, ...(kind === 'dockerfile' ? { text } : {}), reason: reason.trim(), expires },
      }));
      return [...new Map(entries.map((entry) => [JSON.stringify(entry), entry])).values()];
    }),
  );
  return stringify({ accept: [...kept, ...open] }, { lineWidth: 0 });
}

/** A calendar day: Date.parse takes 2027-02-30 for a day in March. */
function isDay(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(`${text}T`);
}

/** `5.*` matches every check ID that begins with `5.`. */
export function matchesCheck(pattern: string, id: string): boolean {
  return pattern.endsWith('*') ? id.startsWith(pattern.slice(0, -1)) : pattern === id;
}

/** Marks accepted findings of one host or file. Expired entries and evidence in other places count again. */
export function applyBaseline(
  results: readonly CheckResult[],
  subject: string,
  baseline: Baseline,
  now: Date,
): readonly CheckResult[] {
  const today = now.toISOString().slice(0, 10);
  const valid = baseline.accept.filter(
    ({ host, expires }) =>
      expires >= today &&
      (host === undefined || host === subject || (host.includes('/') && fileName(host) === subject)),
  );
  return results.map((result) => {
    if (result.state !== 'finding' || result.accepted !== undefined) return result;
    const mine = valid.filter(({ check }) => matchesCheck(check, result.id));
    return withAccepted(result, ({ place, text }) => {
      const entry = mine.find((one) => (one.place ?? place) === place && (one.text === undefined || one.text === text));
      return entry && { reason: entry.reason, expires: entry.expires };
    });
  });
}

/** Text that lists expired entries; undefined: none. */
export function expiredWords({ accept }: Baseline, now: Date): string | undefined {
  const today = now.toISOString().slice(0, 10);
  const expired = accept.filter(({ expires }) => expires < today);
  if (expired.length === 0) return undefined;
  return `${plural(expired.length, 'entry', 'entries')} accepted until a day that is over: ${expired.map(({ check }) => check).join(', ')}`;
}
