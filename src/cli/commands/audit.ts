/** Owns `audit [HOST…]`: what is wrong with hosts, Compose files and Dockerfiles, in every form of the report. */

import { auditHosts, matchesCheck, type Selection, selectResults, subjectsOf } from '../../actions/audit.ts';
import { expiredEntries, parseBaseline } from '../../domain/audit/baseline.ts';
import { BENCHMARKS, type Benchmark, idIn, NEWEST } from '../../domain/audit/benchmark.ts';
import { SEVERITIES } from '../../domain/audit/check.ts';
import { compareReports, findingsOfReport } from '../../domain/audit/compare.ts';
import { CHECKS } from '../../domain/audit/evaluate.ts';
import { auditCompose, COMPOSE_CHECKS } from '../../domain/audit/files/compose.ts';
import { auditDockerfile, DOCKERFILE_CHECKS } from '../../domain/audit/files/dockerfile.ts';
import { type AuditedFile, type AuditReport, fileName, judged, reportHead } from '../../domain/audit/report/report.ts';
import { fails, score, scoreWords } from '../../domain/audit/score.ts';
import { nearestNames } from '../../domain/fleet/nearest.ts';
import { shellQuote } from '../../domain/quote.ts';
import { plural } from '../../domain/words.ts';
import { errorsOf, exitOfResults } from '../../engine/pool.ts';
import { DockerTlsError } from '../../errors/errors.ts';
import { formOf, REPORT_FORMS, type ReportForm, renderReport, saveReport } from '../audit-report.ts';
import { type CommandContext, defineCommand, type OptionSpecs, type OptionValues } from '../command.ts';
import { readIn } from '../files.ts';
import { runFlags, SSH_OPTIONS } from '../host-options.ts';
import { usage } from '../options.ts';
import { sudoPasswords } from '../run.ts';
import { SELECTION_OPTIONS, selectSpecs } from '../selection.ts';
import { storeOf } from '../store.ts';

const OPTIONS = {
  ...SELECTION_OPTIONS,
  ...SSH_OPTIONS,
  compose: {
    kind: 'list',
    value: 'FILE',
    summary: 'audit a Compose file, - is standard input; needs no host',
    completes: 'file',
  },
  dockerfile: { kind: 'list', value: 'FILE', summary: 'audit a Dockerfile; needs no host', completes: 'file' },
  lynis: { kind: 'flag', summary: 'run Lynis where it is installed: its index, and the fixes that raise it' },
  check: { kind: 'list', value: 'ID', summary: 'only these checks; 5.* is a whole section' },
  benchmark: {
    kind: 'choice',
    choices: BENCHMARKS,
    summary: `edition of the CIS Docker Benchmark whose numbers name the checks (default: ${NEWEST})`,
  },
  format: {
    kind: 'choice',
    choices: REPORT_FORMS,
    summary: 'form of the report; default table, or what the name of --out says',
  },
  out: { kind: 'text', value: 'FILE', summary: 'write the report there; - is standard output', completes: 'file' },
  failOn: { kind: 'choice', choices: SEVERITIES, summary: 'exit with status 3 for findings this grave or graver' },
  baseline: {
    kind: 'text',
    value: 'FILE',
    summary: 'accepted findings, each with a reason and a last day',
    completes: 'file',
  },
  compare: {
    kind: 'text',
    value: 'REPORT',
    summary: 'say what is new and what is gone since a report',
    completes: 'file',
  },
} as const satisfies OptionSpecs;

type AuditValues = OptionValues<typeof OPTIONS>;
type Context = Pick<CommandContext<unknown, AuditValues>, 'options' | 'global' | 'runtime' | 'prompts' | 'progress'>;

export const command = defineCommand({
  name: 'audit',
  summary: 'Checks of host, daemon, containers and TLS (CIS numbers); changes nothing',
  about:
    'Without HOST: every host of the fleet file (-f), or of the store. A host need not be set up.\nAll facts of a host come over SSH in one go, as root; which clients are accepted is probed from here, over the network.\n`docker-tls harden HOST` fixes what can be fixed; -v shows what passed as well.',
  examples: [
    'docker-tls audit root@build-1',
    'docker-tls audit -f fleet.yaml --format html --out audit.html',
    'docker-tls audit --fail-on high --baseline accepted.yaml --format sarif --out audit.sarif',
    'docker-tls audit build-1 --json > before.json; docker-tls audit build-1 --compare before.json',
    'docker-tls audit --compose docker-compose.yml --dockerfile Dockerfile',
  ],
  args: { hosts: { summary: 'hosts; default: all', many: true, completes: 'host' } },
  options: OPTIONS,
  async run(context) {
    const { args, options, global, runtime } = context;
    const form = formOf(options.format, options.out);
    const out = options.out === '-' ? undefined : options.out;
    const onlyFiles =
      options.compose.length + options.dockerfile.length > 0 &&
      args.hosts.length === 0 &&
      global.file === undefined &&
      options.inventory === undefined;
    const benchmark = options.benchmark ?? NEWEST;
    requireChecks(options.check, benchmark, [
      ...(onlyFiles ? [] : CHECKS),
      ...(options.compose.length > 0 ? COMPOSE_CHECKS : []),
      ...(options.dockerfile.length > 0 ? DOCKERFILE_CHECKS : []),
    ]);
    const selection: Selection = {
      checks: options.check,
      benchmark,
      baseline:
        options.baseline === undefined
          ? undefined
          : parseBaseline(await readText(options.baseline, runtime.cwd), options.baseline, benchmark),
    };
    const known =
      options.compare === undefined
        ? undefined
        : findingsOfReport(await readText(options.compare, runtime.cwd), options.compare, benchmark);
    const files = await auditFiles(options, runtime.cwd);
    const { results, stored } = onlyFiles ? NO_HOSTS : await auditSelected(context, args.hosts, selection);

    const now = runtime.now();
    const report: AuditReport = {
      ...reportHead(now, DOCKER_TLS_VERSION, benchmark),
      subjects: [...subjectsOf(results), ...files.map((file) => selectResults(file, selection, now))],
    };
    const comparison = known === undefined ? undefined : compareReports(known, report);
    const result = { ...report, comparison };
    const expired = selection.baseline === undefined ? [] : expiredEntries(selection.baseline, now);
    if (expired.length > 0) {
      context.progress.note(
        `${options.baseline}: ${plural(expired.length, 'entry', 'entries')} accepted until a day that is over: ${expired.map(({ check }) => check).join(', ')}`,
      );
    }
    const text = renderReport(report, form, {
      io: runtime.io,
      toFile: out !== undefined,
      all: global.verbose,
      comparison,
      known,
      document: result,
    });
    const failed = exitOfResults(results, runtime.signal);
    const over = options.failOn;
    const tooMuch = over !== undefined && judged(report).some((subject) => fails(subject.results, over));
    const saved = out === undefined ? undefined : await saveReport(out, runtime.cwd, text);
    return {
      exit: failed !== 0 ? failed : tooMuch ? 3 : 0,
      result: saved === undefined ? result : { ...result, out: saved },
      text: saved === undefined ? text : summary(report, form, saved),
      verbatim: form !== 'table' && saved === undefined,
      attention: over && '',
      next: form === 'table' || saved !== undefined ? wayOn(report, stored, global.file !== undefined) : undefined,
      errors: errorsOf(results),
    };
  },
});

/** What fixes what can be fixed: for hosts that were set up from here, and not for a fleet, whose file says what each host should be. */
function wayOn(report: AuditReport, stored: ReadonlySet<string>, fleet: boolean): string[] {
  const fixable = judged(report)
    .filter(({ kind, name }) => kind === 'host' && stored.has(name))
    .filter(({ results }) => results.some(({ state, fixable: fix }) => state === 'finding' && fix !== undefined));
  if (fleet || fixable.length === 0 || fixable.length > 5) return [];
  return [`docker-tls harden ${fixable.map(({ name }) => name).join(' ')} --dry-run`];
}

const NO_HOSTS = { results: [], stored: new Set<string>() };

async function auditSelected(context: Context, hosts: readonly string[], selection: Selection) {
  const { options, global, runtime, prompts, progress } = context;
  const state = await storeOf({ global, runtime }).read();
  const { specs, secrets } = await selectSpecs(context, hosts, options, state, runFlags(options, runtime.cwd));
  const audit = {
    ...{ runtime, state, selection },
    ...(await sudoPasswords(options, { specs, secrets }, context)),
    ask: prompts.ssh,
    lynis: options.lynis,
  };
  const results = await auditHosts(specs, audit, { parallel: global.parallel, signal: runtime.signal }, progress);
  return { results, stored: new Set(state.hosts.keys()) };
}

async function auditFiles({ compose, dockerfile }: AuditValues, cwd: string): Promise<AuditedFile[]> {
  const files: AuditedFile[] = [];
  for (const name of compose) {
    const results = auditCompose(await readText(name, cwd), name);
    files.push({ kind: 'compose', name: fileName(name), results, score: score(results) });
  }
  for (const name of dockerfile) {
    const results = auditDockerfile(await readText(name, cwd), name);
    files.push({ kind: 'dockerfile', name: fileName(name), results, score: score(results) });
  }
  return files;
}

/** A misspelt check would pass every host, and one for hosts every file. `asked`: those of what is audited. */
function requireChecks(
  patterns: readonly string[],
  benchmark: Benchmark,
  requested: readonly { readonly id: string }[],
): void {
  const numbers = (checks: typeof requested) => checks.flatMap(({ id }) => idIn(id, benchmark) ?? []);
  const ids = numbers(requested);
  const all = numbers([...CHECKS, ...COMPOSE_CHECKS, ...DOCKERFILE_CHECKS]);
  for (const pattern of patterns) {
    if (ids.some((id) => matchesCheck(pattern, id))) continue;
    const exists = all.some((id) => matchesCheck(pattern, id));
    const same = ids.filter((id) => id.endsWith(`.${pattern}`));
    const near = same.length > 0 ? same : nearestNames(pattern, ids);
    throw usage(`--check ${pattern}: there is no such check${exists ? ' for what is audited here' : ''}`, [
      ...near.map((id) => `--check ${id}`),
      "all of a section: --check '5.*'",
    ]);
  }
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

/** What is said when the report went into a file. */
function summary(report: AuditReport, form: ReportForm, path: string): string {
  const lines = judged(report).map((subject) => `${subject.name}: ${scoreWords(subject.score)}`);
  return [...lines, `The report (${form}) is in ${path}`].join('\n');
}
