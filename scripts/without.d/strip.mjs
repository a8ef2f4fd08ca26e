/** Deletes from the docs of a copy what they say of features (CONTRIBUTING.md, "A feature in the docs"). */

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Pages, and what pages are generated from. */
export const pagesIn = (root) => [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...readdirSync(join(root, 'docs'), { recursive: true })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];
const SOURCES = [
  'test/support/kinds-tried.ts',
  'test/support/hosts-doc.ts',
  'test/support/strange/hosts.ts',
  'test/features/audit/support/checks-doc.ts',
  ...['local', 'pki', 'remote'].map((name) => `src/errors/codes/${name}.ts`),
];

/** Without the blocks, lines and parts of lines that carry the mark of the feature; undefined for a page that is about it alone. */
export function without(text, feature) {
  const [open, close] = [`<!-- ${feature} -->`, `<!-- /${feature} -->`];
  if (text.startsWith(`<!-- page: ${feature} -->\n`)) return undefined;
  const kept = [];
  let inside = false;
  for (const line of text.split('\n')) {
    // In the source of a page that is generated, a mark is a string of a list, or a comment.
    const mark = line.trim().replace(/^(?:'(.*)',|\/\/ (.*))$/, '$1$2');
    if (mark === open) inside = true;
    else if (mark === close) inside = false;
    else if (!inside) {
      const rest = line.replaceAll(new RegExp(`${open}.*?${close}`, 'g'), '');
      if (!rest.includes(open)) kept.push(rest);
    }
  }
  if (inside) throw new Error(`${open} without ${close}`);
  return kept.join('\n').replace(/\n{3,}/g, '\n\n');
}

export function stripDocs(copy, features) {
  for (const page of [...pagesIn(copy), ...SOURCES].filter((name) => existsSync(join(copy, name)))) {
    const path = join(copy, page);
    let text = readFileSync(path, 'utf8');
    for (const feature of features) text = text && without(text, feature);
    if (text === undefined) rmSync(path);
    else writeFileSync(path, text);
  }
}
