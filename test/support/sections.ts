/** Output of a facts script for given sections: the inverse of src/core/domain/dockerd/sections.ts. */

import { parseSections, type Section, type SectionKind } from '../../src/core/domain/dockerd/sections.ts';

const NONCE = '0123456789abcdef0123456789abcdef';

export function printSections(kind: SectionKind, sections: readonly Section[]): Buffer {
  const parts = sections.flatMap(({ name, content }) => [content, Buffer.from(`\n--${NONCE} ${name}\n`)]);
  return Buffer.concat([Buffer.from(`docker-tls-${kind} 1 ${NONCE}\n`), ...parts]);
}

/** API requests to the daemon, by short names. */
const API_PATHS: Readonly<Record<string, string>> = {
  info: '/info',
  containers: '/containers/json',
};

/**
 * The facts script's output for these texts. A path's content is `file:PATH`, with the text `absent`, `other`, `link MODE OWNER`, newline,
 * target, or `file MODE OWNER`, newline, content.
 */
export function printFacts(texts: Readonly<Record<string, string>>): Buffer {
  const files = Object.entries(texts).filter(([name]) => name.startsWith('file:'));
  const others = Object.entries(texts)
    .filter(([name]) => !name.startsWith('file:'))
    .map(([name, text]) => [API_PATHS[name] === undefined ? name : `api 200 ${API_PATHS[name]}`, text] as const);
  const attributes: string[] = [];
  const contents: string[] = [];
  for (const [name, text] of files) {
    const [head = '', ...lines] = text.split('\n');
    const [kind, mode = '755', owner = '0:0'] = head.split(' ');
    const rest = lines.join('\n');
    if (kind === 'absent') continue;
    const type = { file: 'f', link: 'l' }[kind ?? ''] ?? 'd';
    attributes.push(
      `${type} ${mode} ${owner} ${Buffer.byteLength(rest)}\0${name.slice(5)}\0${type === 'l' ? rest : ''}\0`,
    );
    if (type === 'f') contents.push(rest);
  }
  const sections = {
    ...Object.fromEntries(others),
    paths: files.map(([name]) => `${name.slice(5)}\n`).join(''),
    attributes: attributes.join(''),
    contents: contents.join(''),
    done: '',
  };
  return printSections(
    'facts',
    Object.entries(sections).map(([name, text]) => ({ name, content: Buffer.from(text) })),
  );
}

/** The sections of output that is known to be complete. */
export function sectionsOf(kind: SectionKind, stdout: Buffer): readonly Section[] {
  const sections = parseSections(stdout, kind);
  if (sections === undefined) throw new Error('not whole');
  return sections;
}
