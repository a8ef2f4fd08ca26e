/** Owns the choice among the forms of an audit's report, and writing one to a file. */

import { randomBytes } from 'node:crypto';
import { realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, extname, resolve } from 'node:path';
import type { Comparison, FindingKey } from '../domain/audit/compare.ts';
import { renderHtml } from '../domain/audit/report/html.ts';
import { renderJunit } from '../domain/audit/report/junit.ts';
import type { AuditReport } from '../domain/audit/report/report.ts';
import { renderSarif } from '../domain/audit/report/sarif.ts';
import { renderAuditTable } from '../domain/audit/report/table.ts';
import { shellQuote } from '../domain/quote.ts';
import { DockerTlsError } from '../errors/errors.ts';
import type { Io } from '../runtime.ts';
import { renderDocument } from './output.ts';
import { coloursOf } from './render/colours.ts';

export const REPORT_FORMS = ['table', 'json', 'sarif', 'junit', 'html'] as const;
export type ReportForm = (typeof REPORT_FORMS)[number];

const BY_EXTENSION: Readonly<Record<string, ReportForm>> = {
  '.json': 'json',
  '.sarif': 'sarif',
  '.xml': 'junit',
  '.html': 'html',
  '.htm': 'html',
};

/** The form that was asked for, or that the name of the file tells. */
export function formOf(format: ReportForm | undefined, out: string | undefined): ReportForm {
  const name = out?.toLowerCase() ?? '';
  return format ?? (name.endsWith('.sarif.json') ? 'sarif' : BY_EXTENSION[extname(name)]) ?? 'table';
}

type Rendering = {
  readonly io: Io;
  readonly toFile: boolean;
  /** Also what passed. */
  readonly all: boolean;
  readonly comparison: Comparison | undefined;
  /** The findings of the report that this one is compared with. */
  readonly known: readonly FindingKey[] | undefined;
  /** What `json` prints. */
  readonly document: unknown;
};

export function renderReport(report: AuditReport, form: ReportForm, rendering: Rendering): string {
  switch (form) {
    case 'json':
      return renderDocument(rendering.document);
    case 'sarif':
      return renderSarif(report, rendering.known);
    case 'junit':
      return renderJunit(report);
    case 'html':
      return renderHtml(report);
    case 'table': {
      const { io, toFile, all, comparison } = rendering;
      const colours = coloursOf(io);
      return renderAuditTable(report, {
        columns: toFile ? 100 : io.columns,
        paint: toFile ? undefined : (colour, text) => colours[colour](text),
        all,
        comparison,
      });
    }
  }
}

/**
 * Writes the report for its owner alone, since it tells where to break in; whole or not at all. A link stays and what it leads to is
 * written, and so are devices and pipes (/dev/stdout), which a new file must not replace. Its absolute path. Fails with E_AUDIT_OUT (exit 2).
 */
export async function saveReport(out: string, cwd: string, text: string): Promise<string> {
  const path = resolve(cwd, out);
  let temporary: string | undefined;
  try {
    const there = await stat(path).catch(() => undefined);
    if (there !== undefined && !there.isFile()) {
      await writeFile(path, text);
      return path;
    }
    const place = there === undefined ? path : await realpath(path);
    temporary = `${place}.${randomBytes(6).toString('hex')}`;
    await writeFile(temporary, text, { mode: 0o600, flag: 'wx' });
    await rename(temporary, place);
    return path;
  } catch (cause) {
    if (temporary !== undefined) await rm(temporary, { force: true });
    throw new DockerTlsError({
      code: 'E_AUDIT_OUT',
      message: 'the report cannot be written',
      where: path,
      hints: [`ls -ld ${shellQuote(dirname(path))} ${shellQuote(path)}`],
      cause,
    });
  }
}
