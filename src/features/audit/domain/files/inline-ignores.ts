/** Findings that a comment in a Compose file or Dockerfile accepts: `# docker-tls ignore=ID reason`. */

import { DockerTlsError, DockerTlsErrors } from '../../../../errors/errors.ts';
import type { Evidence } from '../check.ts';
import { type CheckResult, withAccepted } from '../evaluate.ts';

type Ignore = { readonly check: string; readonly line: number; readonly reason: string };

type NamedText = { readonly path: string; readonly text: string };

const COMMENT = /(^|\s)#\s*docker-tls\s+ignore=(\S*)\s*(.*)$/;

/**
 * Accepts findings by the comments of their files: behind the line (YAML), or above it. Throws DockerTlsErrors (E_COMPOSE, E_DOCKERFILE)
 * for a comment without a reason or with an unknown check, which would accept nothing. `inside`: checks of texts inside of these files,
 * whose comments are applied there.
 */
export function applyIgnores(
  results: readonly CheckResult[],
  kind: 'compose' | 'dockerfile',
  files: readonly NamedText[],
  inside: readonly string[] = [],
): readonly CheckResult[] {
  const known = new Set([...results.map(({ id }) => id), ...inside]);
  const ignores = new Map(files.map((file) => [file.path, ignoresIn(file, kind, known)]));
  const main = files[0]?.path ?? '';
  const ignoreOf = (check: string, { file = main, line }: Evidence) =>
    ignores.get(file)?.find((ignore) => ignore.check === check && ignore.line === line);
  return results.map((result) => {
    if (result.state !== 'finding') return result;
    return withAccepted(result, (piece) => {
      const ignore = ignoreOf(result.id, piece);
      return ignore && { reason: ignore.reason };
    });
  });
}

function ignoresIn(
  { path, text }: NamedText,
  kind: 'compose' | 'dockerfile',
  known: ReadonlySet<string>,
): readonly Ignore[] {
  const lines = text.split(/\r?\n/);
  const errors: DockerTlsError[] = [];
  const ignores = lines.flatMap((content, index): readonly Ignore[] => {
    const [whole, , ids = '', reason = ''] = COMMENT.exec(content) ?? [];
    const isAlone = /^\s*#/.test(content);
    // A Dockerfile has comments on lines of their own only.
    if (whole === undefined || (kind === 'dockerfile' && !isAlone)) return [];
    const unknown = ids.split(',').find((id) => !known.has(id));
    const problem =
      unknown !== undefined
        ? `there is no check ${unknown}`
        : reason.trim() === ''
          ? 'say why it is accepted'
          : undefined;
    if (problem !== undefined) {
      errors.push(
        new DockerTlsError(kind === 'compose' ? 'E_COMPOSE' : 'E_DOCKERFILE', `ignore=${ids}: ${problem}`, {
          where: `${path}:${index + 1}`,
          hints: [`# docker-tls ignore=${kind}.4.10 only a test database`],
        }),
      );
      return [];
    }
    const line = isAlone ? nextLine(lines, index) : index + 1;
    return ids.split(',').map((check) => ({ check, line, reason: reason.trim() }));
  });
  if (errors.length > 0) throw new DockerTlsErrors(errors);
  return ignores;
}

/** Number of the next line that is neither a comment nor empty. */
function nextLine(lines: readonly string[], index: number): number {
  const next = lines.findIndex((line, at) => at > index && !/^\s*(?:#|$)/.test(line));
  return next < 0 ? index + 1 : next + 1;
}
