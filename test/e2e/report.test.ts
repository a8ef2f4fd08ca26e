/** The HTML reports of audit and harden in a real browser (Debian's chromium): they render, from a file, without network, light and dark, and on paper. */

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAuditFacts } from '../../src/features/audit/domain/audit-facts.ts';
import { ALL_FIXES } from '../../src/features/audit/domain/fixes.ts';
import { renderHtml } from '../../src/features/audit/domain/report/html.ts';
import { renderHardenReport } from '../../src/features/audit/domain/report/html-harden.ts';
import { type AuditedHost, auditHost } from '../../src/features/audit/domain/report/report.ts';
import { recordedBytes } from '../features/audit/support/audit-facts.ts';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--hide-scrollbars',
];

const EVIL = '<img src=x onerror="document.title=1"></style><script>document.title=1</script>&\u202e\u001b[31m';
const NOW = new Date('2026-11-25T11:00:00Z');
const audited = (name: Parameters<typeof recordedBytes>[0]): AuditedHost =>
  auditHost(name, parseAuditFacts(recordedBytes(name)), { now: NOW });

function auditPage(): string {
  const names = ['bad-trixie', 'fresh-bookworm', 'setup-sid', 'harden-trixie', 'swarm-trixie'] as const;
  const hosts = names.map(audited);
  return renderHtml({
    createdAt: NOW.toISOString(),
    version: '0.1.0',
    benchmark: '1.8',
    vulnerabilities: '2026-11-26',
    subjects: [...hosts, { ...(hosts[0] as AuditedHost), name: EVIL }],
  });
}

/** Everything that a host, a user or another machine words is hostile. */
function hardenPage(): string {
  const before = { ...audited('fresh-bookworm'), name: EVIL };
  const after = { ...audited('harden-bookworm'), name: EVIL };
  const changes = ['/etc/docker/daemon.json', EVIL].map((what) => ({ what, reason: EVIL }));
  const made = { changes, costs: [EVIL], notes: [EVIL], error: undefined };
  return renderHardenReport({
    createdAt: NOW.toISOString(),
    version: '0.1.0',
    benchmark: '1.8',
    vulnerabilities: '2026-11-26',
    who: EVIL,
    leftOut: ALL_FIXES.filter(({ risk }) => risk === 'yes'),
    hosts: [
      { name: EVIL, before, after, ...made },
      { name: 'build-2', before: audited('bad-trixie'), after: audited('harden-trixie'), ...made },
      {
        name: `${EVIL}-3`,
        before: { kind: 'unreachable', name: EVIL, error: EVIL },
        after: undefined,
        ...made,
        error: EVIL,
      },
    ],
  });
}

describe.each([
  { what: 'audit', heading: 'Docker audit', render: auditPage, pages: 5 },
  { what: 'harden', heading: 'Docker hardening', render: hardenPage, pages: 1 },
])('the page of $what in chromium', ({ heading, render, pages }) => {
  let directory = '';
  let page = '';
  /** What the browser made of it; one start, whatever is looked at. */
  let dom = '';

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'docker-tls-report-'));
    page = join(directory, 'report.html');
    writeFileSync(page, render());
    const printed = [`--print-to-pdf=${join(directory, 'report.pdf')}`, '--no-pdf-header-footer'];
    dom = (await browse(page, '--dump-dom', ...drawn('light', '1'), ...printed)).stdout;
    await browse(page, ...drawn('dark', '0'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  function browse(file: string, ...args: string[]) {
    return execa('chromium', [...FLAGS, `--user-data-dir=${join(directory, 'profile')}`, ...args, `file://${file}`], {
      timeout: 60_000,
    });
  }
  const drawn = (name: string, scheme: string): readonly string[] => [
    '--window-size=1280,2000',
    `--blink-settings=preferredColorScheme=${scheme}`,
    `--screenshot=${join(directory, `${name}.png`)}`,
  ];

  test('is understood as it was meant: the same elements, hostile names as text', () => {
    expect(dom).toContain(`<h1>${heading}</h1>`);
    expect(dom.match(/<tr class="[^"]*"><th scope="row">/g)?.length).toBe(
      readFileSync(page, 'utf8').match(/<tr class="[^"]*"><th scope="row">/g)?.length,
    );
    expect(dom).toContain('&lt;img src=x onerror=');
    expect(dom).not.toMatch(/<img|<script/);
    expect(dom).toContain(`<title>${heading}`);
  });

  test.each(['light', 'dark'])('is drawn, %s', (name) => {
    // An empty page of this size is some 10 kB.
    expect(statSync(join(directory, `${name}.png`)).size).toBeGreaterThan(80_000);
  });

  test('is read on a phone and in a small window: nothing sticks out, and no label covers the end of a bar', async () => {
    const widths = [400, 1100];
    // The page itself runs no script: another page looks at it.
    const outer = join(directory, 'outer.html');
    const measure = `onload = () => {
      const rect = (element) => element.getBoundingClientRect();
      document.title = JSON.stringify([...document.querySelectorAll('iframe')].map(({ contentDocument: inner }) => {
        const lanes = [...inner.querySelectorAll('.lane:not(.axis)')];
        return {
        width: inner.documentElement.scrollWidth,
        lanes: lanes.length,
        covered: lanes.filter((lane) => rect(lane.querySelector('.left')).left < rect(lane.querySelector('.bar')).right).length,
        cut: [...inner.querySelectorAll('.scroll:not(:has(.matrix))')].filter((one) => one.scrollWidth > one.clientWidth).length,
        upright: [...inner.querySelectorAll('h3')].filter((title) => rect(title).width < 150).length,
        };
      }));
    }`;
    const source = readFileSync(page, 'utf8').replaceAll('&', '&amp;').replaceAll('"', '&quot;');
    writeFileSync(
      outer,
      `<!doctype html>${widths.map((width) => `<iframe style="width:${width}px;height:900px;border:0" srcdoc="${source}"></iframe>`).join('')}<script>${measure}</script>`,
    );
    const { stdout } = await browse(outer, '--window-size=1280,1000', '--virtual-time-budget=5000', '--dump-dom');
    expect(JSON.parse(/<title>(.*?)<\/title>/.exec(stdout)?.[1] ?? '[]')).toEqual(
      widths.map((width) => ({ width, lanes: expect.any(Number), covered: 0, cut: 0, upright: 0 })),
    );
  });

  test('is printed on several pages', () => {
    expect(
      readFileSync(join(directory, 'report.pdf'))
        .toString('latin1')
        .match(/\/Type\s*\/Page\b/g)?.length,
    ).toBeGreaterThan(pages);
  });
});
