/** Owns the framing of facts.sh: sections that end in a line with a nonce that their content cannot know. */

import { DockerTlsError } from '../errors.ts';

/** One section: its name as the script gave it, and its bytes exactly as printed. */
export type Section = { readonly name: string; readonly content: Buffer };

const HEADER = /(?:^|\n)docker-tls-audit 1 ([0-9a-f]{32})\n/;

function broken(message: string): DockerTlsError {
  return new DockerTlsError({ code: 'E_AUDIT_FACTS', exit: 4, message, hints: ['docker-tls doctor HOST'] });
}

/**
 * The sections in the order of printing. Whatever was printed before the header (a login banner) is left out.
 * Throws E_AUDIT_FACTS when there is no header, or when the script did not come to its end.
 */
export function parseSections(stdout: Buffer): readonly Section[] {
  const header = HEADER.exec(stdout.toString('latin1', 0, 1_048_576));
  if (header === null) throw broken('the host did not answer the questions of the audit');
  const mark = Buffer.from(`\n--${header[1]} `, 'latin1');
  const sections: Section[] = [];
  let start = header.index + header[0].length;
  for (;;) {
    const end = stdout.indexOf(mark, start);
    if (end < 0) break;
    const newline = stdout.indexOf('\n', end + mark.length);
    if (newline < 0) break;
    const name = stdout.toString('utf8', end + mark.length, newline);
    sections.push({ name, content: stdout.subarray(start, end) });
    if (name === 'done') return sections;
    start = newline + 1;
  }
  throw broken("the host's answers to the audit broke off");
}
