/** Local files that an audit reads: Compose files and Dockerfiles, the baseline, and the report to compare with. */

import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { readIn } from '../../../core/actions/input-output.ts';
import { unreadable } from '../../../core/domain/unreadable.ts';
import { readNamedFile } from '../../../core/named-file.ts';
import { parseBaseline } from '../domain/baseline.ts';
import { type Benchmark, NEWEST } from '../domain/benchmark.ts';
import { type CheckSelection, requireChecks } from '../domain/check-selection.ts';
import { type FindingKey, findingsOfReport } from '../domain/compare.ts';
import { CHECKS } from '../domain/evaluate.ts';
import { auditFile, FILE_KINDS } from '../domain/files/audited-file.ts';
import type { Beside } from '../domain/files/compose-model.ts';
import type { AuditedFile } from '../domain/report/report.ts';

const KINDS = ['compose', 'dockerfile'] as const;

/** Options that select the input files. */
export type InputOptions = {
  readonly compose: readonly string[];
  readonly dockerfile: readonly string[];
  readonly check: readonly string[];
  readonly benchmark?: Benchmark | undefined;
  readonly baseline?: string | undefined;
  readonly compare?: string | undefined;
};

export type AuditInputs = {
  readonly selection: CheckSelection & { readonly benchmark: NonNullable<CheckSelection['benchmark']> };
  /** Findings of the earlier report. */
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
        auditFile(kind, path, await text(path, cwd), kind === 'compose' ? await besideOf(path, cwd) : undefined),
      );
  return { selection: { checks, benchmark, baseline: accepted }, known, files };
}

async function text(path: string, cwd: string): Promise<string> {
  return decoded(await readIn(path, cwd, 'E_AUDIT_FILE'));
}

function decoded(bytes: Buffer): string {
  // Windows PowerShell 5.1 writes `… --json > report.json` in UTF-16.
  return bytes.toString(bytes[0] === 0xff && bytes[1] === 0xfe ? 'utf16le' : 'utf8').replace(/^\ufeff/, '');
}

const DEFAULT_NAME = /^(docker-)?compose\.ya?ml$/;
/** In Compose's search order: the first existing one is merged into a file with a default name. */
const OVERRIDES = ['compose', 'docker-compose'].flatMap((name) => [`${name}.override.yml`, `${name}.override.yaml`]);

async function besideOf(path: string, cwd: string): Promise<Beside> {
  if (path === '-') return { given: new Set(), files: [] };
  const whole = resolve(cwd, path);
  const directory = dirname(whole);
  const given = await variablesIn(join(directory, '.env'));
  const named = given.get('COMPOSE_FILE');
  if (named !== undefined) {
    const alone = resolve(directory, named) === whole;
    return {
      given: new Set(given.keys()),
      files: alone ? [] : [{ place: '.env', text: `COMPOSE_FILE says which files Compose reads: ${named}` }],
    };
  }
  const override = DEFAULT_NAME.test(basename(whole)) && OVERRIDES.find((name) => existsSync(join(directory, name)));
  const files = override ? [{ place: override, text: 'Compose merges it into this file' }] : [];
  return { given: new Set(given.keys()), files };
}

/** Variables of an .env file. A directory of that name (Python) counts as no file, as in Compose. */
async function variablesIn(file: string): Promise<ReadonlyMap<string, string>> {
  const bytes = await readNamedFile(file).catch((cause) => {
    if (/^(ENOENT|EISDIR)$/.test(cause.code)) return Buffer.alloc(0);
    throw unreadable('E_AUDIT_FILE', file, cause);
  });
  const lines = decoded(bytes).matchAll(
    /^[^\S\n]*(?:export\s+)?([A-Za-z_]\w*)[^\S\n]*[=:][^\S\n]*(["']?)(.*?)\2[^\S\n]*$/gm,
  );
  return new Map([...lines].map(([, name = '', , value = '']) => [name, value]));
}
