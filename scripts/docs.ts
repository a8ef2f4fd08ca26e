/** Pages of docs/lists/ that are generated, and faults of all pages: for `scripts/without`, as the tests of test/core/unit/ check them. */

import { brokenLinks, missingPaths, pagesOf, unlinkedPages } from '../test/support/docs-pages.ts';
import {
  CODES,
  OF_SAFETY,
  oddCodes,
  raisedCodes,
  unassertedCodes,
  WITH_REAL_SHELL,
} from '../test/support/error-codes.ts';
import { renderErrorsDoc } from '../test/support/errors-doc.ts';
import { renderHostsDoc } from '../test/support/hosts-doc.ts';
import { untriedCells } from '../test/support/kinds-tried.ts';
import { loadReference, renderReference } from './reference.ts';

/** By path in the repository. */
export async function generatedPages(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ['docs/lists/reference.md', renderReference(await loadReference())],
    ['docs/lists/errors.md', renderErrorsDoc()],
    ['docs/lists/tested-hosts.md', renderHostsDoc()],
  ]);
}

/** A line for each; none if all is well. */
export function docsFaults(root: string): string[] {
  const raised = raisedCodes(root);
  const faults: Readonly<Record<string, readonly string[]>> = {
    'leads nowhere': pagesOf(root).flatMap((page) => brokenLinks(root, page).map((link) => `${page}: ${link}`)),
    'is no file': pagesOf(root).flatMap((page) => missingPaths(root, page).map((path) => `${page}: ${path}`)),
    'has no link in README.md': unlinkedPages(root),
    'is there twice, or has no sentence and no fix': oddCodes(),
    'is asserted in no test': unassertedCodes(root, CODES, /./),
    'is of safety, and asserted in no test with a real shell': unassertedCodes(root, OF_SAFETY, WITH_REAL_SHELL),
    'is raised, and not in the catalogue': raised.filter((code) => !(CODES as readonly string[]).includes(code)),
    'is in the catalogue, and raised nowhere': CODES.filter((code) => !raised.includes(code)),
    'is no test': untriedCells(root),
  };
  return Object.entries(faults).flatMap(([what, all]) => all.map((one) => `${one} ${what}`));
}
