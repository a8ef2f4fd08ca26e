// Makes the documentation a web site: static files with search, which work from a server and from a disk. README.md is the first page, and
// pages keep their places, so links stay as they are. markdown-it renders, MiniSearch searches. Usage: node scripts/site.mjs DIRECTORY
import { copyFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { normalize, relative } from 'node:path/posix';
import { fileURLToPath } from 'node:url';
import { copySync, ensureDirSync, readJsonSync, removeSync } from 'fs-extra/esm';
import markdownIt from 'markdown-it';
import anchor from 'markdown-it-anchor';
import MiniSearch from 'minisearch';

const root = fileURLToPath(new URL('..', import.meta.url));
const [target] = process.argv.slice(2);
if (target === undefined) throw new Error('usage: node scripts/site.mjs DIRECTORY');
const { homepage } = readJsonSync(join(root, 'package.json'));
const source = `${homepage.replace(/#.*/, '')}/blob/main`;
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** Group → pages with their names, in the order of README.md, whose documentation section links every page. */
const groups = new Map([['', [['README.md', 'docker-tls']]]]);
for (const [, title, table] of readme.matchAll(/^### (.+)\n\n((?:\|.*\n)+)/gm)) {
  const rows = [...table.matchAll(/^\| \[([^\]]+)\]\((docs\/[^)]+\.md)\)/gm)];
  if (rows.length > 0)
    groups.set(
      title,
      rows.map(([, name, page]) => [page, name]),
    );
}
groups.set(
  'Project',
  ['CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md'].map((page) => [page, page.replace('.md', '').toLowerCase()]),
);
const pages = [...groups.values()].flatMap((group) => group.map(([page]) => page));
for (const name of readdirSync(join(root, 'docs'), { recursive: true }).filter((one) => one.endsWith('.md')))
  if (!pages.includes(`docs/${name}`)) throw new Error(`README.md does not link docs/${name}`);

const place = (page) => (page === 'README.md' ? 'index.html' : page.replace(/\.md$/, '.html'));

/** As GitHub makes them: docs-links.test.ts holds the links of the sources against the same. */
const slugify = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, '')
    .replaceAll(' ', '-');

const markdown = markdownIt({ html: true }).use(anchor, {
  slugify,
  permalink: anchor.permalink.headerLink({ safariReaderFix: true }),
});
markdown.renderer.rules.table_open = () => '<div class="table"><table>\n';
markdown.renderer.rules.table_close = () => '</table></div>\n';

/** Where a link of a page leads on the site; files that are no pages are shown where the source is. */
function destinationOf(page, href) {
  if (/^[a-z]+:|^#/.test(href)) return href;
  const [path, hash] = href.split('#');
  const file = normalize(join(dirname(page), path));
  const end = hash === undefined ? '' : `#${hash}`;
  if (!pages.includes(file)) return `${source}/${file}${end}`;
  return `${relative(dirname(place(page)), place(file))}${end}`;
}

const textOf = (token) =>
  (token?.children ?? []).map(({ type, content }) => (type === 'html_inline' ? '' : content)).join('');

/** A page's sections: what the search finds, and where. An error code is a section of its own. */
function sectionsOf(page, tokens) {
  const sections = [];
  for (const [index, token] of tokens.entries()) {
    const text = textOf(tokens[index + 1]);
    if (token.type === 'heading_open') {
      const link = `${place(page)}${token.tag === 'h1' ? '' : `#${token.attrGet('id')}`}`;
      sections.push({ id: link, title: text, page: sections[0]?.page ?? text, text: '' });
    } else if (sections.length > 0 && ['inline', 'fence', 'code_block'].includes(token.type)) {
      const last = sections.at(-1);
      const words = token.children ? token.children.map(({ content }) => content).join('') : token.content;
      const [, id] = /<a id="(e_\w+)">/.exec(words) ?? [];
      if (id !== undefined)
        sections.push({ id: `${place(page)}#${id}`, title: id.toUpperCase(), page: sections[0].page, text: '' });
      else if (tokens[index - 1]?.type !== 'heading_open') last.text += ` ${words}`;
    }
  }
  return sections;
}

function render(page) {
  const tokens = markdown.parse(readFileSync(join(root, page), 'utf8'), {});
  for (const token of tokens.flatMap((one) => [one, ...(one.children ?? [])])) {
    const href = token.type === 'link_open' ? token.attrGet('href') : null;
    if (href !== null) token.attrSet('href', destinationOf(page, href));
  }
  const headings = tokens.flatMap((token, index) =>
    token.type === 'heading_open' && token.tag === 'h2'
      ? [{ id: token.attrGet('id'), title: textOf(tokens[index + 1]) }]
      : [],
  );
  return {
    page,
    headings,
    sections: sectionsOf(page, tokens),
    html: markdown.renderer.render(tokens, markdown.options, {}),
  };
}

const { escapeHtml } = markdown.utils;

/** The headings of the second level, beside a page that has a few. */
function contents(headings) {
  if (headings.length < 3) return '';
  const items = headings.map(({ id, title }) => `<li><a href="#${id}">${escapeHtml(title)}</a></li>`);
  return `<nav class="page" aria-label="On this page">\n<p>On this page</p>\n<ul>\n${items.join('\n')}\n</ul>\n</nav>\n`;
}

function layout({ page, sections, headings, html }) {
  const up = relative(dirname(place(page)), '.') || '.';
  const links = [...groups].map(([title, group]) => {
    const items = group.map(([each, name]) => {
      const here = each === page ? ' aria-current="page"' : '';
      return `<li><a href="${up}/${place(each)}"${here}>${escapeHtml(name)}</a></li>`;
    });
    return `${title === '' ? '' : `<p>${escapeHtml(title)}</p>\n`}<ul>\n${items.join('\n')}\n</ul>`;
  });
  const title = page === 'README.md' ? 'docker-tls' : `${sections[0]?.title ?? page} - docker-tls`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src 'self'; style-src 'self' file:; script-src 'self' file:; base-uri 'none'; form-action 'none'">
<title>${escapeHtml(title)}</title>
<link rel="stylesheet" href="${up}/site.css">
<script defer src="${up}/minisearch.js"></script>
<script defer src="${up}/search-index.js"></script>
<script defer src="${up}/search.js"></script>
<script defer src="${up}/copy.js"></script>
<body data-root="${up}">
<nav class="site" aria-label="Pages">
<label for="search">Search</label>
<input id="search" type="search" autocomplete="off" spellcheck="false" aria-controls="results">
<ol id="results" aria-live="polite"></ol>
<details open>
<summary>Pages</summary>
${links.join('\n')}
</details>
</nav>
<main>
${html}</main>
${contents(headings)}</body>
</html>
`;
}

removeSync(target);
const rendered = pages.map(render);
for (const one of rendered) {
  const file = join(target, place(one.page));
  ensureDirSync(dirname(file));
  writeFileSync(file, layout(one));
}
const search = new MiniSearch({ fields: ['title', 'page', 'text'], storeFields: ['title', 'page'] });
search.addAll(rendered.flatMap(({ sections }) => sections));
// A script and not JSON: a page from a disk may not fetch.
writeFileSync(join(target, 'search-index.js'), `globalThis.searchIndex = ${JSON.stringify(JSON.stringify(search))};\n`);
const library = join(root, 'node_modules/minisearch/dist/umd/index.js');
if (!existsSync(library)) throw new Error(`${library} is missing: npm ci`);
writeFileSync(join(target, 'minisearch.js'), readFileSync(library, 'utf8').replace(/^\/\/# sourceMappingURL.*$/m, ''));
for (const file of ['site.css', 'search.js', 'copy.js'])
  copyFileSync(join(root, 'scripts/site.d', file), join(target, file));
copySync(join(root, 'docs/pictures'), join(target, 'docs/pictures'));
console.log(`${pages.length} pages in ${target}`);
