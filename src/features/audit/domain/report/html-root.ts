/** Who can become root on each host: a picture and a table. */

import { cutText } from '../../../../core/domain/words.ts';
import { type Html, html } from './html-text.ts';
import type { AuditedHost, AuditReport } from './report.ts';
import { gravestWays, type ReportedAccess } from './root-access.ts';

const ROW = 26;
const WIDTH = 1100;
const COLUMNS = { who: 0, how: 390, root: 930 } as const;
const BOX = { who: 330, how: 400, root: 170 } as const;
/** The table has the rest. */
const MOST = 24;

function box(column: keyof typeof COLUMNS, y: number, text: string, tone: string): Html {
  const letters = Math.floor(BOX[column] / 8.6);
  return html`<g class="${tone}"><title>${text}</title><rect x="${COLUMNS[column]}" y="${y}" width="${BOX[column]}" height="${ROW - 6}" rx="5"/><text x="${COLUMNS[column] + 8}" y="${y + 14}">${cutText(text, letters)}</text></g>`;
}

function line(from: number, fromY: number, to: number, toY: number, tone: string): Html {
  const middle = (from + to) / 2;
  return html`<path class="${tone}" d="M${from} ${fromY} C${middle} ${fromY} ${middle} ${toY} ${to} ${toY}"/>`;
}

/** Each way on a row; equal ways in the middle are one box. */
function picture(name: string, ways: readonly ReportedAccess[]): Html {
  const shown = ways.slice(0, MOST);
  const hows = [...new Set(shown.map(({ how }) => how))];
  const height = shown.length * ROW;
  const at = (index: number, count: number) => ((index + 0.5) * height) / count - (ROW - 6) / 2;
  const rootY = at(0, 1);
  const half = (ROW - 6) / 2;
  const tones = hows.map((how) => (shown.some((way) => way.how === how && way.grave) ? 'grave' : ''));
  const left = shown.map(({ who, grave }, index) => box('who', at(index, shown.length), who, grave ? 'grave' : ''));
  const toHow = shown.map(({ how, grave }, index) =>
    line(
      BOX.who,
      at(index, shown.length) + half,
      COLUMNS.how,
      at(hows.indexOf(how), hows.length) + half,
      grave ? 'grave' : '',
    ),
  );
  const middle = hows.map((how, index) => box('how', at(index, hows.length), how, tones[index] ?? ''));
  const toRoot = hows.map((_, index) =>
    line(COLUMNS.how + BOX.how, at(index, hows.length) + half, COLUMNS.root, rootY + half, tones[index] ?? ''),
  );
  return html`<svg class="root" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="who can become root on ${name}">${toHow}${toRoot}${left}${middle}${box('root', rootY, `root on ${name}`, 'goal')}</svg>`;
}

export function renderAccess(report: AuditReport): Html {
  const hosts = report.subjects.filter(
    (subject): subject is AuditedHost => subject.kind === 'host' && subject.access.length > 0,
  );
  const title = html`<h2 id="access">Who can become root here</h2>`;
  if (hosts.length === 0) return html`${title}<p class="soft">Only root on each host.</p>`;
  const rows = hosts.flatMap(({ name, access }) =>
    gravestWays(access).map(({ who, how, where, grave, role, expires }, index) => {
      const host = index === 0 ? html`<th scope="rowgroup" rowspan="${access.length}">${name}</th>` : undefined;
      const tone = grave ? 'grave' : '';
      const limits = [role === undefined ? '' : `role ${role}`, expires === undefined ? '' : `until ${expires}`];
      return html`<tr>${host}<td class="${tone}">${who}</td><td class="${tone}">${how}</td><td class="mono ${tone}">${where}</td><td class="small">${limits.filter((limit) => limit !== '').join(', ')}</td></tr>`;
    }),
  );
  const pictures = hosts.map(
    ({ name, access }) => html`<div class="card time">${picture(name, gravestWays(access))}</div>`,
  );
  return html`${title}<p class="soft small">Anyone who controls the daemon is root on its host. Red ones should not be able to.</p>
${pictures}
<div class="card scroll"><table class="stack ways"><thead><tr><th>Host</th><th>Who</th><th>How</th><th>Where</th><th>Limits</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}
