/** Files of this computer that an audit reads: Compose files and Dockerfiles, the baseline, and the report to compare with. */

import { statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseBaseline } from '../domain/audit/baseline.ts';
import { type Benchmark, NEWEST } from '../domain/audit/benchmark.ts';
import { type FindingKey, findingsOfReport } from '../domain/audit/compare.ts';
import { CHECKS } from '../domain/audit/evaluate.ts';
import { auditFile, FILE_KINDS } from '../domain/audit/files/audited-file.ts';
import type { AuditedFile } from '../domain/audit/report/report.ts';
import { requireChecks, type Selection } from '../domain/audit/selection.ts';
import { readIn } from './files.ts';

const KINDS = ['compose', 'dockerfile'] as const;

/** The options that say what is read. */
export type InputOptions = {
  readonly compose: readonly string[];
  readonly dockerfile: readonly string[];
  readonly check: readonly string[];
  readonly benchmark?: Benchmark | undefined;
  readonly baseline?: string | undefined;
  readonly compare?: string | undefined;
};

export type AuditInputs = {
  readonly selection: Selection & { readonly benchmark: NonNullable<Selection['benchmark']> };
  /** The findings of the report that this one is compared with. */
  readonly known: readonly FindingKey[] | undefined;
  readonly files: readonly AuditedFile[];
};

/** Fails with E_USAGE, E_AUDIT_FILE, E_BASELINE, E_AUDIT_REPORT, E_COMPOSE, E_DOCKERFILE (exit 2). */
export async function readInputs(options: InputOptions, cwd: string, withHosts: boolean): Promise<AuditInputs> {
  const { benchmark = NEWEST, baseline, compare, check: checks } = options;
  const kinds = KINDS.filter((kind) => options[kind].length > 0);
  requireChecks(checks, benchmark, [
    ...(withHosts ? CHECKS : []),
    ...kinds.flatMap((kind) => [...FILE_KINDS[kind].checks]),
  ]);
  const accepted = baseline === undefined ? undefined : parseBaseline(await text(baseline, cwd), baseline, benchmark);
  const known = compare === undefined ? undefined : findingsOfReport(await text(compare, cwd), compare, benchmark);
  const files: AuditedFile[] = [];
  for (const kind of kinds)
    for (const path of options[kind])
      files.push(
        auditFile(kind, path, await text(path, cwd), kind === 'compose' ? await namesBeside(path, cwd) : undefined),
      );
  return { selection: { checks, benchmark, baseline: accepted }, known, files };
}

async function text(path: string, cwd: string): Promise<string> {
  const bytes = await readIn(path, cwd, 'E_AUDIT_FILE');
  // Windows PowerShell 5.1 writes `… --json > report.json` so.
  return bytes.toString(bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf16le' : 'utf8').replace(/^\ufeff/, '');
}

/** The variables of the .env file that Compose reads beside a file; a directory of that name (of Python) is none, for Compose as well. */
async function namesBeside(path: string, cwd: string): Promise<ReadonlySet<string>> {
  const file = join(dirname(resolve(cwd, path)), '.env');
  if (path === '-' || (statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? true)) return new Set();
  const lines = (await text(file, cwd)).matchAll(/^\s*(?:export\s+)?([A-Za-z_]\w*)\s*[=:]/gm);
  return new Set([...lines].map(([, name = '']) => name));
}
