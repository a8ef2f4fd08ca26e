/** Local files that an audit reads: Compose files and Dockerfiles, the baseline, and the report to compare with. */

import { createHash } from 'node:crypto';
import { delimiter, dirname, resolve, sep } from 'node:path';
import { readIn } from '../../../core/actions/input-output.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { unreadable } from '../../../core/domain/unreadable.ts';
import { readNamedFileSync, whyNotRead } from '../../../core/named-file.ts';
import type { Runtime } from '../../../core/runtime.ts';
import { DockerTlsError, usage } from '../../../errors/errors.ts';
import { parseBaseline } from '../domain/baseline.ts';
import { type Benchmark, type Level, NEWEST } from '../domain/benchmark.ts';
import { type CheckSelection, type Probes, requireChecks, requireProbes } from '../domain/check-selection.ts';
import { type FindingKey, findingsOfReport } from '../domain/compare.ts';
import { CHECKS } from '../domain/evaluate.ts';
import { auditComposeFiles, auditDockerfileText, FILE_CHECKS } from '../domain/files/audited-file.ts';
import { MISSING, type Neighbours } from '../domain/files/compose-project.ts';
import { projectFiles } from '../domain/files/project-files.ts';
import { type AuditedFile, fileName } from '../domain/report/report.ts';
import { BUILT_IN, parseVulnerabilities, type VulnerabilityTable } from '../domain/vulnerability-table.ts';

const KINDS = ['compose', 'dockerfile'] as const;
const KINDS_WORDS = { compose: 'Compose files', dockerfile: 'Dockerfiles' } as const;

/** Options that select the input files. */
export type InputOptions = Probes & {
  readonly compose: readonly string[];
  readonly dockerfile: readonly string[];
  readonly check: readonly string[];
  readonly benchmark?: Benchmark | undefined;
  readonly level?: Level | undefined;
  readonly baseline?: string | undefined;
  readonly compare?: string | undefined;
  readonly vulnerabilities?: string | undefined;
  readonly vulnerabilitiesSha256?: string | undefined;
};

export type AuditInputs = {
  readonly selection: CheckSelection & { readonly benchmark: NonNullable<CheckSelection['benchmark']> };
  /** Findings of the earlier report. */
  readonly known: readonly FindingKey[] | undefined;
  readonly files: readonly AuditedFile[];
  readonly table: VulnerabilityTable;
};

/** Fails with E_USAGE, E_AUDIT_FILE, E_BASELINE, E_AUDIT_REPORT, E_COMPOSE, E_DOCKERFILE (exit 2). */
export async function readInputs(
  options: InputOptions,
  { cwd, now }: Pick<Runtime, 'cwd' | 'now'>,
  withHosts: boolean,
): Promise<AuditInputs> {
  const { benchmark = NEWEST, baseline, compare, check: checks, level } = options;
  const kinds = KINDS.filter((kind) => options[kind].length > 0);
  const hosts = withHosts ? [['hosts', CHECKS] as const] : [];
  requireChecks({ checks, benchmark, level }, [
    ...hosts,
    ...kinds.map((kind) => [KINDS_WORDS[kind], FILE_CHECKS[kind]] as const),
  ]);
  requireProbes({ checks, benchmark, level }, options);
  const accepted = baseline === undefined ? undefined : parseBaseline(await text(baseline, cwd), baseline, benchmark);
  const known = compare === undefined ? undefined : findingsOfReport(await text(compare, cwd), compare, benchmark);
  const files: AuditedFile[] = [];
  for (const path of options.compose) files.push(await auditComposeProject(path, cwd));
  for (const path of options.dockerfile) files.push(auditDockerfileText({ path, text: await text(path, cwd) }));
  const table = await tableOf(options, cwd, now());
  return { selection: { checks, benchmark, level, baseline: accepted }, known, files, table };
}

/** The table of the file, or the built-in one. A pinned file has the hash that the user names. */
async function tableOf(
  { vulnerabilities: path, vulnerabilitiesSha256: wanted }: InputOptions,
  cwd: string,
  now: Date,
): Promise<VulnerabilityTable> {
  if (path === undefined) {
    if (wanted === undefined) return BUILT_IN;
    throw usage('--vulnerabilities-sha256 is the hash of a file: --vulnerabilities FILE', []);
  }
  const bytes = await readIn(path, cwd, 'E_AUDIT_FILE');
  const hash = createHash('sha256').update(bytes).digest('hex');
  if (wanted !== undefined && wanted.toLowerCase() !== hash)
    throw new DockerTlsError('E_AUDIT_FILE', `the table of vulnerabilities has another SHA-256: ${hash}`, {
      where: path,
      hints: [`sha256sum ${shellQuote(path)}`],
    });
  return parseVulnerabilities(decoded(bytes), path, now);
}

async function text(path: string, cwd: string): Promise<string> {
  return decoded(await readIn(path, cwd, 'E_AUDIT_FILE'));
}

function decoded(bytes: Buffer): string {
  // Windows PowerShell 5.1 writes `… --json > report.json` in UTF-16.
  return bytes.toString(bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf16le' : 'utf8').replace(/^\ufeff/, '');
}

/**
 * `named`: a path, or several with the separator of COMPOSE_FILE. A single file of a default name stands for the project that
 * `docker compose` finds in its directory.
 */
async function auditComposeProject(named: string, cwd: string): Promise<AuditedFile> {
  const neighbours = neighboursIn(cwd);
  const parts = named === '-' ? [named] : named.split(delimiter).filter((part) => part !== '');
  requireReadableEnv(resolve(cwd, dirname(parts[0] ?? ''), '.env'));
  const texts = [];
  for (const path of parts.map(asPosix)) texts.push({ path, text: await text(path, cwd) });
  const [first] = texts;
  // As the user calls it: an override beside it does not change the name that a baseline knows.
  const project = texts.length === 1 && first !== undefined ? projectFiles(first, neighbours, delimiter) : texts;
  return auditComposeFiles(parts.map(asPosix).join(delimiter), project, neighbours);
}

/** Variables of an unreadable .env would be missing everywhere. A directory of that name (Python) counts as no file, as in Compose. */
function requireReadableEnv(file: string): void {
  try {
    readNamedFileSync(file, LARGEST_NEIGHBOUR);
  } catch (cause) {
    if (!/^(ENOENT|ENOTDIR|EISDIR)$/.test(String((cause as NodeJS.ErrnoException).code)))
      throw unreadable('E_AUDIT_FILE', file, cause);
  }
}

/** Files around a Compose file, whose text names them: only regular ones, and of limited size. */
function neighboursIn(cwd: string): Neighbours {
  return {
    root: asPosix(cwd),
    read: (path) => {
      try {
        return { text: decoded(readNamedFileSync(resolve(cwd, path), LARGEST_NEIGHBOUR)) };
      } catch (cause) {
        const missing = /^(ENOENT|ENOTDIR)$/.test(String((cause as NodeJS.ErrnoException).code));
        return { reason: missing ? MISSING : whyNotRead(cause) };
      }
    },
  };
}

const LARGEST_NEIGHBOUR = 1024 * 1024;

function asPosix(path: string): string {
  return fileName(path.split(sep).join('/'));
}
