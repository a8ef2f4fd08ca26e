/**
 * The framing of what the scripts that gather facts print: sections that end in a line with a nonce that their content cannot
 * know. The script draws the nonce from /dev/urandom and says it in its header, `docker-tls-KIND 1 NONCE`; then come
 * CONTENT, newline, `--NONCE NAME`, newline for each section, and `done` as the last one.
 */

/** One section: its name as the script gave it, and its bytes exactly as printed. */
export type Section = { readonly name: string; readonly content: Buffer };

/** Which script printed: the facts of a plan, or those of the audit. */
export type SectionKind = 'facts' | 'audit';

/** What Docker's API answered, by path: from the sections that api.sh prints. Status 0: no answer came. */
export type ApiAnswers = ReadonlyMap<string, { readonly status: number; readonly body: string }>;

export function apiAnswers(sections: readonly Section[]): ApiAnswers {
  return new Map(
    sections.flatMap(({ name, content }) => {
      const [, status, path] = /^api (\d{3}) (?:http:\/\/docker)?(\/.*)$/.exec(name) ?? [];
      return status === undefined || path === undefined
        ? []
        : [[path, { status: Number(status), body: content.toString('utf8') }] as const];
    }),
  );
}

/** A login banner may come before the header, but not more of it than this. */
const NOISE_BYTES = 1_048_576;

/**
 * The sections in the order of printing. Whatever was printed before the header (a login banner) is left out. Undefined when there
 * is no header, or when the script did not come to its end.
 */
export function parseSections(stdout: Buffer, kind: SectionKind): readonly Section[] | undefined {
  const header = new RegExp(`(?:^|\\n)docker-tls-${kind} 1 ([0-9a-f]{32})\\n`).exec(
    stdout.toString('latin1', 0, NOISE_BYTES),
  );
  if (header === null) return undefined;
  const mark = Buffer.from(`\n--${header[1]} `, 'latin1');
  const sections: Section[] = [];
  let start = header.index + header[0].length;
  for (;;) {
    const end = stdout.indexOf(mark, start);
    if (end < 0) return undefined;
    const newline = stdout.indexOf('\n', end + mark.length);
    if (newline < 0) return undefined;
    const name = stdout.toString('utf8', end + mark.length, newline);
    sections.push({ name, content: stdout.subarray(start, end) });
    if (name === 'done') return sections;
    start = newline + 1;
  }
}
