/** `audit [HOST…]`: checks of hosts, Compose files and Dockerfiles, in every report format. */

import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { FILE, SELECTION_OPTIONS, SSH_OPTIONS } from '../../../cli/host-options.ts';
import type { ActionContext } from '../../../core/actions/action-context.ts';
import { runFlags } from '../../../core/actions/host-flags.ts';
import { storeOf } from '../../../core/actions/open-store.ts';
import { type RunOptions, sudoPasswords } from '../../../core/actions/run.ts';
import { type SelectionOptions, selectSpecs } from '../../../core/actions/select-hosts.ts';
import { errorsOf, exitOfResults, type HostResult } from '../../../core/domain/host-results.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import type { RenderContext } from '../../../core/render/change-result.ts';
import { coloursOf } from '../../../core/render/colours.ts';
import { FEATURE_SETTINGS } from '../../../core/seams/feature-settings.ts';
import { offeredWords } from '../../../core/seams/seam.ts';
import { SETTING_PLACES } from '../../../core/seams/setting-places.ts';
import { SHARED_STORE } from '../../../core/seams/stores.ts';
import { type DockerTlsError, usage } from '../../../errors/errors.ts';
import { programHash } from '../adapters/program-hash.ts';
import { removeReport, saveReport } from '../adapters/report-file.ts';
import { expiredWords, renderBaseline, requireAcceptance } from '../domain/baseline.ts';
import { BENCHMARKS, LEVELS, NEWEST } from '../domain/benchmark.ts';
import { SEVERITIES, type Severity } from '../domain/check.ts';
import { reportedSelection, selectResults, subjectsOf } from '../domain/check-selection.ts';
import { type Comparison, compareReports } from '../domain/compare.ts';
import { formOf, REPORT_FORMS, type ReportForm, renderReport } from '../domain/report/forms.ts';
import { type AuditedHost, type AuditReport, judged, reportHead, selectionWords } from '../domain/report/report.ts';
import { type AuditReportDocument, auditReportDocument } from '../domain/report/report-document.ts';
import type { Paint } from '../domain/report/report-table.ts';
import { fails, scoreWords } from '../domain/score.ts';
import { BUILT_IN } from '../domain/vulnerability-table.ts';
import { auditHosts } from '../engine/audit-hosts.ts';
import { agreeToContainers } from './audit-containers.ts';
import { type AuditInputs, type InputOptions, readInputs } from './audit-inputs.ts';
import {
  checkedSignature,
  refuseMoreThanSignature,
  renderSignature,
  type SignatureDocument,
  signingKey,
  signReport,
} from './audit-signature.ts';

/** A report; with --check-signature, its signature. */
export type AuditDocument =
  | (AuditReportDocument & {
      /** The file that has the report. */
      readonly out?: string;
      /** The file that has its signature. */
      readonly signature?: string;
    })
  | SignatureDocument;

const OWN = FEATURE_SETTINGS.all.includes('rootless') ? ' (on a host set up with --rootless, as its user)' : '';

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'store', 'changes'],
  about: `Without HOST: every host of ${offeredWords(SETTING_PLACES, 'the fleet file (-f), or of ')}the store; with --compose or --dockerfile${offeredWords(SETTING_PLACES, ' and no -f')}, no host. A host need not be set up.\nAll facts of a host come over SSH in one go, as root${OWN}; which clients are accepted is probed from here, over the network.\n\`docker-tls harden HOST\` fixes what can be fixed; -v shows what passed as well.`,
  examples: [
    'docker-tls audit root@build-1',
    `docker-tls audit${offeredWords(SETTING_PLACES, ' -f fleet.yaml')} --format html --out audit.html`,
    'docker-tls audit --fail-on high --baseline accepted.yaml --format sarif --out audit.sarif',
    'docker-tls audit build-1 --json > before.json; docker-tls audit build-1 --compare before.json',
    'docker-tls audit --compose docker-compose.yml --dockerfile Dockerfile',
  ],
  args: { hosts: { summary: 'hosts (default: all)', many: true, completes: 'host' } },
  options: {
    ...SELECTION_OPTIONS,
    ...SSH_OPTIONS,
    compose: {
      kind: 'list',
      value: 'FILE',
      summary: 'audit a Compose file, or several as one project (a.yml:b.yml); - is standard input; needs no host',
      completes: 'file',
    },
    dockerfile: { kind: 'list', value: 'FILE', summary: 'audit a Dockerfile; needs no host', completes: 'file' },
    lynis: { kind: 'flag', summary: 'run Lynis where it is installed: its index, and the fixes that raise it' },
    probeContainers: {
      kind: 'flag',
      summary:
        'start containers for some seconds that try to get out, after a question; they and their image are removed',
    },
    probeAuditd: {
      kind: 'flag',
      summary: 'open watched files for writing, which changes nothing, and look for the records in the audit log',
    },
    check: { kind: 'list', value: 'ID', summary: 'only these checks; 5.* is a whole section' },
    benchmark: {
      kind: 'choice',
      choices: BENCHMARKS,
      summary: `edition of the CIS Docker Benchmark whose numbers name the checks (default: ${NEWEST})`,
    },
    level: { kind: 'choice', choices: LEVELS, summary: 'only the controls of this level of the CIS Docker Benchmark' },
    format: {
      kind: 'choice',
      choices: REPORT_FORMS,
      summary: 'form of the report (default: by the name of --out, or table)',
    },
    out: { ...FILE, summary: 'write the report there (default: standard output, as - is)' },
    failOn: { kind: 'choice', choices: SEVERITIES, summary: 'exit with status 3 for findings this grave or graver' },
    baseline: { ...FILE, summary: 'accepted findings, each with a reason and a last day' },
    vulnerabilities: { ...FILE, summary: 'table of known vulnerabilities in place of the built-in one' },
    vulnerabilitiesSha256: {
      kind: 'text',
      value: 'HASH',
      summary: 'the SHA-256 that the file of --vulnerabilities must have',
    },
    writeBaseline: { ...FILE, summary: 'write a baseline of the open findings; with --reason and --expires' },
    reason: { kind: 'text', value: 'TEXT', summary: 'why --write-baseline accepts them' },
    expires: { kind: 'text', value: 'DATE', summary: 'their last day, such as 2027-06-30' },
    sign: {
      ...FILE,
      value: 'KEY',
      optional: SHARED_STORE.all.length > 0,
      summary: `sign the report in --out with this SSH key or age identity${offeredWords(SHARED_STORE, ' (default: yours of the shared store)')}: OUT.sig, as ssh-keygen -Y sign`,
    },
    checkSignature: { ...FILE, summary: 'check FILE.sig of a signed report; needs no host' },
    signers: {
      ...FILE,
      summary: `who may have signed it, as for ssh-keygen -Y verify (default: ${offeredWords(SHARED_STORE, 'operators of the shared store, without one ')}~/.ssh/allowed_signers)`,
    },
    acceptRemoved: {
      kind: 'flag',
      hidden: SHARED_STORE.all.length === 0,
      summary: "accept a removed operator's signature if the report says that it is from before the removal",
    },
    compare: { ...FILE, value: 'REPORT', summary: 'list new and resolved findings since a report' },
  },
  async run(context) {
    const { checkSignature } = context.options;
    if (checkSignature !== undefined) {
      refuseMoreThanSignature(context.args.hosts, context.options);
      return renderSignature(await checkedSignature(context, checkSignature));
    }
    if (context.options.acceptRemoved)
      throw usage('--accept-removed is for --check-signature', [
        'docker-tls audit --check-signature FILE --accept-removed',
      ]);
    return renderAudit(await audit(context, context.args.hosts, context.options), context);
  },
});

type AuditOptions = RunOptions &
  SelectionOptions &
  InputOptions & {
    readonly lynis: boolean;
    readonly format?: ReportForm | undefined;
    readonly out?: string | undefined;
    readonly writeBaseline?: string | undefined;
    readonly reason?: string | undefined;
    readonly expires?: string | undefined;
    readonly sign?: string | undefined;
  };

/** A directory with the name of a host is none. */
function isFile(path: string): boolean {
  return existsSync(path) && !statSync(path).isDirectory();
}

type Audited = {
  readonly report: AuditReport & { readonly comparison: Comparison | undefined };
  readonly form: ReportForm;
  readonly known: AuditInputs['known'];
  readonly results: readonly HostResult<AuditedHost>[];
  /** Names of hosts in the store. */
  readonly stored: ReadonlySet<string>;
  /** Path of the report file. */
  readonly saved: string | undefined;
  /** Path of its signature. */
  readonly signature?: string;
  /** Why it has none, although it was to be signed. */
  readonly unsigned?: DockerTlsError;
};

/** `--dockerfile a b`: a shell's pattern gives several words, and only the first belongs to the option. */
function refuseFileAsHost(hosts: readonly string[], { compose, dockerfile }: AuditOptions, cwd: string): void {
  const flag = dockerfile.length > 0 ? '--dockerfile' : compose.length > 0 ? '--compose' : undefined;
  const file = flag === undefined ? undefined : hosts.find((host) => isFile(resolve(cwd, host)));
  if (file !== undefined)
    throw usage(`${file} is a file, and stands where a HOST does`, [
      `the option again for each file: docker-tls audit ${flag} ${shellQuote(file)}`,
    ]);
}

async function audit(context: ActionContext, hosts: readonly string[], options: AuditOptions): Promise<Audited> {
  const { global, runtime, progress } = context;
  const { compose, dockerfile, inventory, out } = options;
  const noHosts = hosts.length === 0 && global.file === undefined && inventory === undefined;
  const withHosts = compose.length + dockerfile.length === 0 || !noHosts;
  refuseFileAsHost(hosts, options, runtime.cwd);
  requireAcceptance(options, runtime.now());
  const key = await signingKey(context, options);
  const { selection, known, files, table } = await readInputs(options, runtime, withHosts);
  const { results, stored } = withHosts ? await auditSelected(context, hosts, options, { selection, table }) : NO_HOSTS;
  const now = runtime.now();
  const plain: AuditReport = {
    ...reportHead(now, DOCKER_TLS_VERSION, selection.benchmark, table),
    selection: reportedSelection(selection),
    subjects: [...subjectsOf(results), ...files.map((file) => selectResults(file, selection, now))],
    evidence: { program: programHash(), operator: runtime.operator, signer: key?.fingerprint },
  };
  const report = { ...plain, comparison: known && compareReports(known, plain) };
  if (options.writeBaseline !== undefined) {
    const entries = renderBaseline(judged(plain), options, selection.baseline, now);
    const place = await saveReport(options.writeBaseline, runtime.cwd, entries);
    progress.note(`The baseline is in ${place}`);
  }
  const expired = selection.baseline && expiredWords(selection.baseline, now);
  if (expired !== undefined) progress.note(`${options.baseline}: ${expired}`);
  if (table.date < BUILT_IN.date)
    progress.note(`${options.vulnerabilities}: of ${table.date}, older than the built-in table (${BUILT_IN.date})`);
  const form = formOf(options.format, out);
  const text = () => renderReport(report, form, { columns: 100, all: global.verbose, known });
  const whole = out === undefined || out === '-' ? undefined : text();
  // If the new signature cannot be written, the old one must not stand beside the new report.
  if (whole !== undefined && key !== undefined) await removeReport(`${out}.sig`, runtime.cwd);
  const saved = whole && out && (await saveReport(out, runtime.cwd, whole));
  const signed = whole && saved && key && (await signReport(key, { saved, text: whole }, runtime));
  return { report, form, known, results, stored, saved, ...(signed || {}) };
}

const NO_HOSTS = { results: [], stored: new Set<string>() };

async function auditSelected(
  context: ActionContext,
  hosts: readonly string[],
  options: AuditOptions,
  { selection, table }: Pick<AuditInputs, 'selection' | 'table'>,
) {
  const { global, runtime, prompts, progress } = context;
  const state = await storeOf(context).read();
  const selected = await selectSpecs(context, hosts, options, state, runFlags(options, runtime.cwd));
  if (options.probeContainers) await agreeToContainers(context, selected.specs);
  const results = await auditHosts(selected.specs, {
    ...{
      runtime,
      progress,
      parallel: global.parallel,
      state,
      selection,
      table,
      ask: prompts.ssh,
      lynis: options.lynis,
      probeContainers: options.probeContainers && !global.dryRun,
      probeAuditd: options.probeAuditd && !global.dryRun,
    },
    ...(await sudoPasswords(options, selected, context)),
  });
  return { results, stored: new Set(state.hosts.keys()) };
}

function renderAudit(
  { report, form, known, results, stored, saved, signature, unsigned }: Audited,
  {
    global,
    runtime,
    options: { failOn },
  }: RenderContext & { readonly options: { readonly failOn: Severity | undefined } },
): CommandResult<AuditDocument> {
  const colours = coloursOf(runtime.io);
  const paint: Paint = (colour, text) => colours[colour](text);
  const shown = { columns: runtime.io.columns, paint, all: global.verbose, known };
  const failed = exitOfResults(results, runtime.signal) || (unsigned?.exit ?? 0);
  const tooMuch = failOn !== undefined && judged(report).some((subject) => fails(subject.results, failOn));
  return {
    exit: failed !== 0 ? failed : tooMuch ? 3 : 0,
    result: { ...auditReportDocument(report), out: saved, signature },
    text: global.json
      ? ''
      : saved === undefined
        ? renderReport(report, form, shown)
        : summary(report, form, saved, signature),
    verbatim: form !== 'table' && saved === undefined,
    attention: failOn && '',
    next: form === 'table' || saved !== undefined ? wayOn(report, stored, global.file !== undefined) : undefined,
    errors: [...(unsigned === undefined ? [] : [unsigned]), ...errorsOf(results)],
  };
}

/** Commands for fixable findings, on hosts set up from this store. Not for a fleet: its file defines each host. */
function wayOn(report: AuditReport, stored: ReadonlySet<string>, fleet: boolean): string[] {
  const fixable = judged(report)
    .filter(({ kind, name }) => kind === 'host' && stored.has(name))
    .filter(({ results }) => results.some(({ state, fixable: fix }) => state === 'finding' && fix !== undefined));
  if (fleet || fixable.length === 0 || fixable.length > 5) return [];
  return [`docker-tls harden ${fixable.map(({ name }) => name).join(' ')} --dry-run`];
}

/** Terminal summary if the report went into a file. */
function summary(report: AuditReport, form: ReportForm, path: string, signature: string | undefined): string {
  const lines = judged(report).map((subject) => `${subject.name}: ${scoreWords(subject.score)}`);
  const signed = signature === undefined ? '' : `, its signature in ${signature}`;
  return [...selectionWords(report), ...lines, `The report (${form}) is in ${path}${signed}`].join('\n');
}
