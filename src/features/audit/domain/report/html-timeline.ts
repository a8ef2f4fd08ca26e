/** Timeline of certificates. */

import { type Html, html } from './html-text.ts';
import type { AuditReport, ReportedCertificate } from './report.ts';

const DAY_MS = 86_400_000;
const ROLES = { server: 'server certificate', client: 'client', authority: 'trusted CA' } as const;

type Lane = {
  readonly hosts: readonly string[];
  readonly certificate: ReportedCertificate;
  readonly from: number;
  readonly to: number;
};

/** A client's certificate or a CA is the same on many hosts: one lane each. */
function lanes(report: AuditReport): readonly Lane[] {
  const found = new Map<string, Lane>();
  for (const subject of report.subjects) {
    if (subject.kind !== 'host') continue;
    for (const certificate of subject.certificates) {
      const { role, name, notBefore, notAfter } = certificate;
      const key = JSON.stringify([role, name, notBefore, notAfter]);
      const hosts = [...(found.get(key)?.hosts ?? []), subject.name];
      found.set(key, { hosts, certificate, from: Date.parse(notBefore), to: Date.parse(notAfter) });
    }
  }
  const all = [...found.values()];
  return all.filter(({ from, to }) => Number.isFinite(from) && Number.isFinite(to)).sort((a, b) => a.to - b.to);
}

function leftWords(to: number, now: number): string {
  const days = Math.floor((to - now) / DAY_MS);
  if (days > 730) return `${(days / 365.25).toFixed(1)} years left`;
  return days < 0
    ? `expired ${-days} ${days === -1 ? 'day' : 'days'} ago`
    : `${days} ${days === 1 ? 'day' : 'days'} left`;
}

/** Two decimals suffice; numbers only, so no host text can enter. */
function percent(value: number): string {
  return `${Math.max(0, Math.min(100, value)).toFixed(2)}%`;
}

export function renderTimeline(report: AuditReport): Html {
  const rows = lanes(report);
  const title = html`<h2 id="expiry">When certificates expire</h2>`;
  if (rows.length === 0) return html`${title}<p class="soft">No certificates were seen.</p>`;
  const now = Date.parse(report.createdAt);
  // Long-lived CAs must not compress the rest: draws at most half a year before now and two years after.
  const start = Math.max(now - 182 * DAY_MS, Math.min(now - 30 * DAY_MS, ...rows.map(({ from }) => from)));
  const end = Math.min(now + 730 * DAY_MS, Math.max(now + 90 * DAY_MS, ...rows.map(({ to }) => to)));
  const at = (time: number): number => (100 * (time - start)) / (end - start);
  const marks = [start, now, (now + end) / 2, end].map((time, index) => {
    // If the start is close to now, their labels would overlap.
    if (index === 0 && at(now) < 30) return html``;
    const words = index === 1 ? 'now' : new Date(time).toISOString().slice(0, 10);
    return html`<i class="${['first', '', 'middle', 'last'][index]}" style="left:${percent(at(time))}">${words}</i>`;
  });
  const bars = rows.map(({ hosts, certificate, from, to }) => {
    const third = (to - from) / 3;
    const tone = to <= now ? 'over' : to - now <= Math.max(third, 30 * DAY_MS) ? 'soon' : '';
    const left = at(Math.max(from, start));
    const width = Math.max(0.5, at(Math.min(to, end)) - left);
    return html`<div class="lane"><div><b title="${hosts.join(', ')}">${hosts.length > 3 ? `${hosts.length} hosts` : hosts.join(', ')}</b> <span class="soft">${ROLES[certificate.role]}, ${certificate.name}</span></div>
<div class="track"><span class="bar ${tone}" style="left:${percent(left)};width:${percent(width)}"></span><span class="now" style="left:${percent(at(now))}"></span></div><div class="left" title="${certificate.notAfter}">${leftWords(to, now)}</div></div>`;
  });
  return html`${title}<div class="card time">${bars}<div class="lane axis"><div></div><div class="track">${marks}</div><div></div></div></div>`;
}
