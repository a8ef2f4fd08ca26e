/**
 * Framing of the facts scripts' output: sections that end in a line with a nonce that their content cannot know. The script draws the nonce
 * from /dev/urandom and prints it in its header, `docker-tls-KIND 1 NONCE`. Each section is CONTENT, newline, `--NONCE NAME`, newline;
 * the last one is `done`.
 */

/** One section: its name from the script, and its bytes exactly as printed. */
export type Section = { readonly name: string; readonly content: Buffer };

/** Source of the output: the facts of a plan, of the audit, or of a listener. */
export type SectionKind = 'facts' | 'audit' | 'listener';

/** Answers of Docker's API by path, from the sections of api.sh. Status 0: no answer. */
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

/** A login banner may precede the header, up to this size. */
const NOISE_BYTES = 1_048_576;

/** Sections in print order, without any output before the header (a login banner). Undefined if the header or the end is missing. */
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
