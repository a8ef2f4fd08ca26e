/** Text file for Prometheus' node exporter (exposition format 0.0.4). */

import { needsAttention, type StatusRow } from '../../../core/domain/status-row.ts';
import { offeredWords } from '../../../core/seams/seam.ts';
import { SETTING_PLACES } from '../../../core/seams/setting-places.ts';

/** Expiry times in seconds since 1970, days left, and whether a row needs attention. */
export function renderPrometheus(rows: readonly StatusRow[], now: Date): string {
  const labels = ({ kind, name, serial }: StatusRow): string =>
    `{kind="${kind.replace(' ', '_')}",name="${escapeLabel(name)}"${serial === undefined ? '' : `,serial="${escapeLabel(serial)}"`}}`;
  const gauge = (name: string, help: string, value: (row: StatusRow) => number): string[] => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} gauge`,
    ...rows.map((row) => `${name}${labels(row)} ${value(row)}`),
  ];
  return [
    ...gauge('docker_tls_not_after_seconds', 'End of the certificate, in seconds since 1970.', (row) =>
      Math.floor(row.notAfter.getTime() / 1000),
    ),
    ...gauge('docker_tls_renewal_due_seconds', 'Time from which renewal is due, in seconds since 1970.', (row) =>
      Math.floor(row.dueAt.getTime() / 1000),
    ),
    ...gauge(
      'docker_tls_attention',
      `1: due, expired, different from the store${offeredWords(SETTING_PLACES, ' or the fleet file')}, rejected, or unreachable.`,
      (row) => (needsAttention(row) ? 1 : 0),
    ),
    '# HELP docker_tls_status_time_seconds When this was written.',
    '# TYPE docker_tls_status_time_seconds gauge',
    `docker_tls_status_time_seconds ${Math.floor(now.getTime() / 1000)}`,
    '',
  ].join('\n');
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
