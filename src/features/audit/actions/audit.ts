/** `audit`: checks of hosts, Compose files and Dockerfiles, and the report file. */

import type { ActionContext } from '../../../core/actions/action-context.ts';
import { runFlags } from '../../../core/actions/flags.ts';
import { type RunOptions, sudoPasswords } from '../../../core/actions/run.ts';
import { type SelectionOptions, selectSpecs } from '../../../core/actions/selection.ts';
import { storeOf } from '../../../core/actions/store.ts';
import type { HostResult } from '../../../core/domain/host-results.ts';
import { saveReport } from '../adapters/report.ts';
import { expiredWords } from '../domain/baseline.ts';
import { type Comparison, compareReports } from '../domain/compare.ts';
import { formOf, type ReportForm, renderReport } from '../domain/report/forms.ts';
import { type AuditedHost, type AuditReport, reportHead } from '../domain/report/report.ts';
import { type Selection, selectResults, subjectsOf } from '../domain/selection.ts';
import { auditHosts } from '../engine/audit-hosts.ts';
import { type AuditInputs, type InputOptions, readInputs } from './audit-inputs.ts';

export type AuditOptions = RunOptions &
  SelectionOptions &
  InputOptions & {
    readonly lynis: boolean;
    readonly format?: ReportForm | undefined;
    readonly out?: string | undefined;
  };

export type Audited = {
  readonly report: AuditReport & { readonly comparison: Comparison | undefined };
  readonly form: ReportForm;
  readonly known: AuditInputs['known'];
  readonly results: readonly HostResult<AuditedHost>[];
  /** Names of hosts in the store. */
  readonly stored: ReadonlySet<string>;
  /** Path of the report file. */
  readonly saved: string | undefined;
};

export async function audit(context: ActionContext, hosts: readonly string[], options: AuditOptions): Promise<Audited> {
  const { global, runtime, progress } = context;
  const { compose, dockerfile, inventory, out } = options;
  const noHosts = hosts.length === 0 && global.file === undefined && inventory === undefined;
  const withHosts = compose.length + dockerfile.length === 0 || !noHosts;
  const { selection, known, files } = await readInputs(options, runtime.cwd, withHosts);
  const { results, stored } = withHosts ? await auditSelected(context, hosts, options, selection) : NO_HOSTS;
  const now = runtime.now();
  const plain: AuditReport = {
    ...reportHead(now, DOCKER_TLS_VERSION, selection.benchmark),
    subjects: [...subjectsOf(results), ...files.map((file) => selectResults(file, selection, now))],
  };
  const report = { ...plain, comparison: known && compareReports(known, plain) };
  const expired = selection.baseline && expiredWords(selection.baseline, now);
  if (expired !== undefined) progress.note(`${options.baseline}: ${expired}`);
  const form = formOf(options.format, out);
  const text = () => renderReport(report, form, { columns: 100, all: global.verbose, known });
  const saved = out === undefined || out === '-' ? undefined : await saveReport(out, runtime.cwd, text());
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
  const selected = await selectSpecs(context, hosts, options, state, runFlags(options, runtime.cwd));
  const results = await auditHosts(selected.specs, {
    ...{ runtime, progress, parallel: global.parallel, state, selection, ask: prompts.ssh, lynis: options.lynis },
    ...(await sudoPasswords(options, selected, context)),
  });
  return { results, stored: new Set(state.hosts.keys()) };
}
