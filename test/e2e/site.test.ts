/** The documentation as a web site: every link leads somewhere, every page is two clicks away, and the search works in a real browser, from a disk. */

import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path/posix';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { violations } from '../support/axe.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const site = mkdtempSync(join(tmpdir(), 'docker-tls-site-'));

beforeAll(() => {
  execFileSync(process.execPath, [join(ROOT, 'scripts/site.mjs'), site]);
});
afterAll(() => rmSync(site, { recursive: true, force: true }));

const read = (page: string): string => readFileSync(join(site, page), 'utf8');
const pages = (): string[] =>
  readdirSync(site, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.html'));

/** Where the links of a page's own text lead, as `page#anchor`. */
function linksOf(page: string): string[] {
  const text = /<main>(.*)<\/main>/s.exec(read(page))?.[1] ?? '';
  return [...text.matchAll(/<a [^>]*href="([^"]*)"/g)]
    .map(([, href = '']) => decodeURIComponent(href))
    .filter((href) => !/^[a-z]+:/.test(href))
    .map((href) => (href.startsWith('#') ? `${page}${href}` : normalize(join(dirname(page), href))));
}

test('there is a page for every page of docs, and every link leads to a page and an anchor', () => {
  const sources = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name.replace(/\.md$/, '.html')}`);
  expect(pages()).toEqual(expect.arrayContaining(['index.html', ...sources]));
  for (const page of pages()) {
    const broken = linksOf(page).filter((link) => {
      const [file = '', anchor] = link.split('#');
      return !existsSync(join(site, file)) || (anchor !== undefined && !read(file).includes(`id="${anchor}"`));
    });
    expect(broken, page).toEqual([]);
  }
});

test('every page is within two clicks of the first, by links of the texts', () => {
  const near = new Set(['index.html']);
  for (let click = 0; click < 2; click += 1)
    for (const page of [...near]) for (const link of linksOf(page)) near.add(link.split('#')[0] ?? '');
  expect(pages().filter((page) => !near.has(page))).toEqual([]);
});

test('every picture is on the site, and has words for those who do not see it', () => {
  for (const name of pages())
    for (const [image, source = ''] of read(name).matchAll(/<img src="([^"]+)"[^>]*>/g)) {
      expect(existsSync(join(site, dirname(name), source)), `${name}: ${source}`).toBe(true);
      expect(image).toMatch(/ alt="[^"]{20,}"/);
    }
});

test('links to the source are of files that exist', () => {
  const links = pages().flatMap((page) => [...read(page).matchAll(/href="[^"]*\/blob\/main\/([^"#]+)/g)]);
  expect(links.map(([, file = '']) => file).filter((file) => !existsSync(join(ROOT, file)))).toEqual([]);
});

describe('in chromium', () => {
  let browser: Browser;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
    page = await browser.newPage();
    page.on('console', (message) => problems.push(message.text()));
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('request', (request) => {
      if (!request.url().startsWith(`file://${site}/`)) problems.push(request.url());
    });
  });
  afterAll(() => browser?.close());

  test('the search finds a command, an error code and a word inside a page, and leads there', async () => {
    await page.goto(`file://${site}/index.html`);
    expect(await page.title()).toBe('docker-tls');
    for (const [words, result, address] of [
      ['rotate server', 'Command reference: rotate server', 'docs/lists/reference.html#rotate-server'],
      ['allowed_signers', 'Install: Verify a download', 'docs/install.html#verify-a-download'],
    ] as const) {
      await page.keyboard.press('/');
      await page.fill('#search', words);
      await page.locator('#results a', { hasText: result }).first().click();
      await page.waitForURL(`**/${address}`);
      expect(await page.locator('nav [aria-current]').count()).toBe(1);
    }
    await page.fill('#search', 'E_HOST_SCHEMA');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/docs/lists/errors.html#e_host_schema');
    expect(problems).toEqual([]);
  });

  test('a block of code is copied by its button, of a session the commands alone', async () => {
    await browser.contexts()[0]?.grantPermissions(['clipboard-read', 'clipboard-write']);
    await page.goto(`file://${site}/index.html`);
    await page.locator('.code').first().hover();
    await page.locator('.code button').first().click();
    await page.locator('.code button', { hasText: 'Copied' }).waitFor();
    const copied: string = await page.evaluate('navigator.clipboard.readText()');
    expect(copied.split('\n')[0]).toMatch(/^docker-tls setup /);
    expect(copied).not.toContain('accepted');
  });

  test('the pages are in groups, and a long one lists its headings', async () => {
    await page.setViewportSize({ width: 1600, height: 900 });
    await page.goto(`file://${site}/docs/clients.html`);
    expect(await page.locator('nav.site p').allTextContents()).toEqual(
      expect.arrayContaining(['Ten minutes', 'Guides', 'Lists', 'Development', 'Project']),
    );
    await page.locator('nav.page a', { hasText: 'Tools' }).click();
    await page.waitForURL('**/docs/clients.html#tools');
  });

  test.each([400, 1600])('no page is wider than a screen of %i', async (width) => {
    await page.setViewportSize({ width, height: 800 });
    for (const name of pages()) {
      await page.goto(`file://${site}/${name}`);
      const wide = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
      expect(wide, name).toBeLessThanOrEqual(0);
    }
    expect(problems).toEqual([]);
  });

  test.each(['light', 'dark'] as const)('axe finds no violation, %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    for (const name of ['index.html', 'docs/start/one-server.html', 'docs/clients.html', 'docs/lists/errors.html']) {
      await page.goto(`file://${site}/${name}`);
      expect(await violations(page), name).toEqual([]);
    }
  });
});
