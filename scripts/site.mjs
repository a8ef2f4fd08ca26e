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

/** In the order of the README, which links every page. */
const linked = [...readme.matchAll(/^\| \[docs\/[^\]]+\]\((docs\/[^)]+\.md)\)/gm)].map(([, page]) => page);
const others = readdirSync(join(root, 'docs')).map((name) => `docs/${name}`);
const pages = [
  ...new Set(['README.md', ...linked, ...others, 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md']),
].filter((page) => page.endsWith('.md'));

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

/** A page's sections: what the search finds, and where. */
function sectionsOf(page, tokens) {
  const sections = [];
  for (const [index, token] of tokens.entries()) {
    const text = (tokens[index + 1]?.children ?? []).map(({ content }) => content).join('');
    if (token.type === 'heading_open') {
      const link = `${place(page)}${token.tag === 'h1' ? '' : `#${token.attrGet('id')}`}`;
      sections.push({ id: link, title: text, page: sections[0]?.page ?? text, text: '' });
    } else if (sections.length > 0 && ['inline', 'fence', 'code_block'].includes(token.type)) {
      const last = sections.at(-1);
      const words = token.children ? token.children.map(({ content }) => content).join('') : token.content;
      if (tokens[index - 1]?.type !== 'heading_open') last.text += ` ${words}`;
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
  return { page, sections: sectionsOf(page, tokens), html: markdown.renderer.render(tokens, markdown.options, {}) };
}

const { escapeHtml } = markdown.utils;
const name = (page) => (page === 'README.md' ? 'docker-tls' : page.replace(/^docs\/|\.md$/g, '').toLowerCase());

function layout({ page, sections, html }) {
  const up = relative(dirname(place(page)), '.') || '.';
  const links = pages.map((each) => {
    const here = each === page ? ' aria-current="page"' : '';
    return `<li><a href="${up}/${place(each)}"${here}>${escapeHtml(name(each))}</a></li>`;
  });
  const title = page === 'README.md' ? 'docker-tls' : `${sections[0]?.title ?? name(page)} - docker-tls`;
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
<body data-root="${up}">
<nav>
<label for="search">Search</label>
<input id="search" type="search" autocomplete="off" spellcheck="false" aria-controls="results">
<ol id="results" aria-live="polite"></ol>
<ul>
${links.join('\n')}
</ul>
</nav>
<main>
${html}</main>
</body>
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
for (const file of ['site.css', 'search.js']) copyFileSync(join(root, 'scripts/site.d', file), join(target, file));
copySync(join(root, 'docs/pictures'), join(target, 'docs/pictures'));
console.log(`${pages.length} pages in ${target}`);
