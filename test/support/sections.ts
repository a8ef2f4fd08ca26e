/** Owns what a script that gathers facts would print for given sections: the opposite of src/daemon/sections.ts. */

import { parseSections, type Section, type SectionKind } from '../../src/daemon/sections.ts';

const NONCE = '0123456789abcdef0123456789abcdef';

export function printSections(kind: SectionKind, sections: readonly Section[]): Buffer {
  const parts = sections.flatMap(({ name, content }) => [content, Buffer.from(`\n--${NONCE} ${name}\n`)]);
  return Buffer.concat([Buffer.from(`docker-tls-${kind} 1 ${NONCE}\n`), ...parts]);
}

/** What src/daemon/facts.sh would print for these texts. */
export function printFacts(texts: Readonly<Record<string, string>>): Buffer {
  return printSections(
    'facts',
    Object.entries({ ...texts, done: '' }).map(([name, text]) => ({ name, content: Buffer.from(text) })),
  );
}

/** The sections of output that is known to be whole. */
export function sectionsOf(kind: SectionKind, stdout: Buffer): readonly Section[] {
  const sections = parseSections(stdout, kind);
  if (sections === undefined) throw new Error('not whole');
  return sections;
}
