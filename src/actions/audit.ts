/** Owns `audit`: hosts, Compose files and Dockerfiles against the checks, and the report in a file. */

import { expiredEntries, parseBaseline } from '../domain/audit/baseline.ts';
import { type Benchmark, NEWEST } from '../domain/audit/benchmark.ts';
import type { Severity } from '../domain/audit/check.ts';
import { type Comparison, compareReports, type FindingKey, findingsOfReport } from '../domain/audit/compare.ts';
import { CHECKS } from '../domain/audit/evaluate.ts';
import { auditCompose, COMPOSE_CHECKS } from '../domain/audit/files/compose.ts';
import { auditDockerfile, DOCKERFILE_CHECKS } from '../domain/audit/files/dockerfile.ts';
import { formOf, type ReportForm, renderReport } from '../domain/audit/report/forms.ts';
import {
  type AuditedFile,
  type AuditedHost,
  type AuditReport,
  fileName,
  reportHead,
} from '../domain/audit/report/report.ts';
import { score } from '../domain/audit/score.ts';
import { requireChecks, type Selection, selectResults, subjectsOf } from '../domain/audit/selection.ts';
import type { HostResult } from '../domain/host-results.ts';
import { shellQuote } from '../domain/quote.ts';
import { plural } from '../domain/words.ts';
import { DockerTlsError } from '../errors/errors.ts';
import type { ActionContext } from './action-context.ts';
import { auditHosts } from './audit-hosts.ts';
import { readIn, saveReport } from './files.ts';
import { runFlags } from './flags.ts';
import { type RunOptions, sudoPasswords } from './run.ts';
import { type SelectionOptions, selectSpecs } from './selection.ts';
import { storeOf } from './store.ts';

declare const DOCKER_TLS_VERSION: string;

export type AuditOptions = RunOptions &
  SelectionOptions & {
    readonly compose: readonly string[];
    readonly dockerfile: readonly string[];
    readonly lynis: boolean;
    readonly check: readonly string[];
    readonly benchmark?: Benchmark | undefined;
    readonly format?: ReportForm | undefined;
    readonly out?: string | undefined;
    readonly failOn?: Severity | undefined;
    readonly baseline?: string | undefined;
    readonly compare?: string | undefined;
  };

export type Audited = {
  readonly report: AuditReport & { readonly comparison: Comparison | undefined };
  readonly form: ReportForm;
  /** The findings of the report that this one is compared with. */
  readonly known: readonly FindingKey[] | undefined;
  readonly results: readonly HostResult<AuditedHost>[];
  /** Hosts that the store has. */
  readonly stored: ReadonlySet<string>;
  /** The file that holds the report. */
  readonly saved: string | undefined;
};

export async function audit(context: ActionContext, hosts: readonly string[], options: AuditOptions): Promise<Audited> {
  const { global, runtime } = context;
  const { compose, dockerfile, benchmark = NEWEST, baseline, compare } = options;
  const onlyFiles =
    compose.length + dockerfile.length > 0 &&
    hosts.length === 0 &&
    global.file === undefined &&
    options.inventory === undefined;
  requireChecks(options.check, benchmark, [
    ...(onlyFiles ? [] : CHECKS),
    ...(compose.length > 0 ? COMPOSE_CHECKS : []),
    ...(dockerfile.length > 0 ? DOCKERFILE_CHECKS : []),
  ]);
  const text = (file: string) => readText(file, runtime.cwd);
  const selection: Selection = {
    checks: options.check,
    benchmark,
    baseline: baseline === undefined ? undefined : parseBaseline(await text(baseline), baseline, benchmark),
  };
  const known = compare === undefined ? undefined : findingsOfReport(await text(compare), compare, benchmark);
  const files = await auditFiles(options, text);
  const { results, stored } = onlyFiles ? NO_HOSTS : await auditSelected(context, hosts, options, selection);
  const now = runtime.now();
  const plain: AuditReport = {
    ...reportHead(now, DOCKER_TLS_VERSION, benchmark),
    subjects: [...subjectsOf(results), ...files.map((file) => selectResults(file, selection, now))],
  };
  const report = { ...plain, comparison: known === undefined ? undefined : compareReports(known, plain) };
  const expired = selection.baseline === undefined ? [] : expiredEntries(selection.baseline, now);
  if (expired.length > 0) {
    context.progress.note(
      `${baseline}: ${plural(expired.length, 'entry', 'entries')} accepted until a day that is over: ${expired.map(({ check }) => check).join(', ')}`,
    );
  }
  const form = formOf(options.format, options.out);
  const { out } = options;
  const saved =
    out === undefined || out === '-'
      ? undefined
      : await saveReport(out, runtime.cwd, renderReport(report, form, { columns: 100, all: global.verbose, known }));
  return { report, form, known, results, stored, saved };
}

const NO_HOSTS = { results: [], stored: new Set<string>() };

async function auditSelected(
  context: ActionContext,
  hosts: readonly string[],
  options: AuditOptions,
  selection: Selection,
) {
  const { global, runtime, prompts, progress } = context;
  const state = await storeOf(context).read();
  const { specs, secrets } = await selectSpecs(context, hosts, options, state, runFlags(options, runtime.cwd));
  const about = {
    ...{ runtime, state, selection },
    ...(await sudoPasswords(options, { specs, secrets }, context)),
    ask: prompts.ssh,
    lynis: options.lynis,
  };
  const results = await auditHosts(specs, about, { parallel: global.parallel, signal: runtime.signal }, progress);
  return { results, stored: new Set(state.hosts.keys()) };
}

async function auditFiles(
  { compose, dockerfile }: Pick<AuditOptions, 'compose' | 'dockerfile'>,
  text: (file: string) => Promise<string>,
): Promise<AuditedFile[]> {
  const files: AuditedFile[] = [];
  for (const name of compose) {
    const results = auditCompose(await text(name), name);
    files.push({ kind: 'compose', name: fileName(name), results, score: score(results) });
  }
  for (const name of dockerfile) {
    const results = auditDockerfile(await text(name), name);
    files.push({ kind: 'dockerfile', name: fileName(name), results, score: score(results) });
  }
  return files;
}

async function readText(path: string, cwd: string): Promise<string> {
  try {
    const bytes = await readIn(path, cwd);
    // Windows PowerShell 5.1 writes `… --json > report.json` so.
    return bytes.toString(bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf16le' : 'utf8').replace(/^\ufeff/, '');
  } catch (cause) {
    throw new DockerTlsError({
      code: 'E_AUDIT_FILE',
      message: 'it cannot be read',
      where: path,
      hints: [`ls -l ${shellQuote(path)}`],
      cause,
    });
  }
}
