/** Faults of the hand-written documentation in `root`: links, anchors and source paths that lead nowhere. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path/posix';

export function pagesOf(root: string): string[] {
  const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`);
  return ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md', ...docs];
}

const read = (root: string, page: string) => readFileSync(join(root, page), 'utf8');

/** Anchors that GitHub makes from headings, and explicit ones. */
function anchorsOf(text: string): ReadonlySet<string> {
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  );
  return new Set([...headings, ...[...text.matchAll(/<a id="([^"]+)">/g)].map(([, id = '']) => id)]);
}

/** The target of each link, as `page#anchor` from the root. */
function linksIn(root: string, page: string): string[] {
  const targets = [...read(root, page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => (target.startsWith('#') ? `${page}${target}` : normalize(join(dirname(page), target))));
}

export function brokenLinks(root: string, page: string): string[] {
  return linksIn(root, page).filter((link) => {
    const [file = '', anchor] = link.split('#');
    return !existsSync(join(root, file)) || (anchor !== undefined && !anchorsOf(read(root, file)).has(anchor));
  });
}

export function missingPaths(root: string, page: string): string[] {
  const paths = [...read(root, page).matchAll(/`((?:src|test|scripts|examples)\/[\w./-]+)`/g)];
  return paths.map(([, path = '']) => path).filter((path) => !existsSync(join(root, path)));
}

/** Pages that README has no link to. */
export function unlinkedPages(root: string): string[] {
  const linked = linksIn(root, 'README.md').map((link) => link.split('#')[0]);
  return pagesOf(root).filter((page) => page !== 'README.md' && !linked.includes(page));
}
