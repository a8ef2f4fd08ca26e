/** Choice of the report format. */

import { extname } from 'node:path';
import { renderDocument } from '../../../../core/domain/document.ts';
import type { Comparison, FindingKey } from '../compare.ts';
import { renderHdf } from './hdf.ts';
import { renderHtml } from './html.ts';
import { renderJunit } from './junit.ts';
import type { AuditReport } from './report.ts';
import { auditReportDocument } from './report-document.ts';
import { type Paint, renderAuditTable } from './report-table.ts';
import { renderSarif } from './sarif.ts';

export const REPORT_FORMS = ['table', 'json', 'sarif', 'junit', 'html', 'hdf'] as const;
export type ReportForm = (typeof REPORT_FORMS)[number];

const BY_EXTENSION: Readonly<Record<string, ReportForm>> = {
  '.json': 'json',
  '.sarif': 'sarif',
  '.xml': 'junit',
  '.html': 'html',
  '.htm': 'html',
};

/** The requested format, or the one of the file's extension. */
export function formOf(format: ReportForm | undefined, out: string | undefined): ReportForm {
  const name = out?.toLowerCase() ?? '';
  const [, inner] = /\.(sarif|hdf)\.json$/.exec(name) ?? [];
  return format ?? (inner as ReportForm | undefined) ?? BY_EXTENSION[extname(name)] ?? 'table';
}

type Rendering = {
  readonly columns: number;
  readonly paint?: Paint;
  /** Include passed checks. */
  readonly all: boolean;
  /** Findings of the earlier report. */
  readonly known: readonly FindingKey[] | undefined;
};

export function renderReport(
  report: AuditReport & { readonly comparison: Comparison | undefined },
  form: ReportForm,
  { known, ...table }: Rendering,
): string {
  switch (form) {
    case 'json':
      return renderDocument(auditReportDocument(report));
    case 'sarif':
      return renderSarif(report, known);
    case 'junit':
      return renderJunit(report);
    case 'hdf':
      return renderHdf(report);
    case 'html':
      return renderHtml(report);
    case 'table':
      return renderAuditTable(report, { ...table, comparison: report.comparison });
  }
}
