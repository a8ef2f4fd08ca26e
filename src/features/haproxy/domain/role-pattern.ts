/** Patterns of a role: `GET /containers/*\/logs`, methods and a path of Docker's or Podman's API without its version. */

/** A line of a role. */
export type RolePattern = {
  /** As it is written. */
  readonly text: string;
  readonly methods: readonly string[];
  readonly path: string;
};

export const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'] as const;

/** In every role: clients negotiate the version with these, and docker-tls verifies with them. */
export const ALWAYS = ['GET,HEAD /_ping', 'GET /version'];

/** What `*` stands for: a name or an ID. It never begins with a dot, and has no character that a server might decode. */
const SEGMENT = '[A-Za-z0-9][A-Za-z0-9_.:@+-]*';
/** From 1.24 on: before, a start of a container could change its settings. */
const VERSION = '(?:/v1\\.(?:2[4-9]|[3-9][0-9]|[1-9][0-9][0-9]))?';
/** Podman's own API, in which every version counts as the newest one. No role reaches it that does not name it. */
const LIBPOD = 'libpod';
const LIBPOD_VERSION = '(?:/v[1-9][0-9]?\\.[0-9]{1,3}(?:\\.[0-9]{1,3})?)?';
/** A first part that is neither that nor a version. */
const FIRST = `(?!${LIBPOD}(?:/|$)|v[0-9])${SEGMENT}`;
/** Only names of images and plugins have slashes. */
const SLASHED = ['images', 'distribution', 'plugins'];
const MAX_LENGTH = 256;

/** Reads a line of a role. `problem` says why it is not a pattern. */
export function parsePattern(text: string): RolePattern | { readonly problem: string } {
  const problem = (why: string) => ({ problem: `"${text.slice(0, MAX_LENGTH)}": ${why}` });
  if (text === '') return { problem: 'an empty line; write a method and a path, such as GET /containers/json' };
  if (text.length > MAX_LENGTH) return problem(`it has more than ${MAX_LENGTH} characters`);
  const [, methodsText, path] = /^([^ ]+) ([^ ]+)$/.exec(text) ?? [];
  if (methodsText === undefined || path === undefined)
    return problem('write methods, one space and a path, such as GET /containers/json');
  const methods = methodsText.split(',');
  const unknown = methods.find((method) => !METHODS.some((known) => known === method));
  if (unknown !== undefined) return problem(`${unknown || 'nothing'} is not one of the methods ${METHODS.join(', ')}`);
  if (new Set(methods).size < methods.length) return problem('it has a method twice');
  const why = pathProblem(path);
  return why === undefined ? { text, methods, path } : problem(why);
}

function pathProblem(path: string): string | undefined {
  if (!path.startsWith('/')) return 'the path begins with /';
  if (/^\/v[0-9]/.test(path)) return 'leave out the version of the API: every version is meant';
  if (path.includes('?')) return 'leave out the query: rules see only the path';
  if (path.includes('%')) return 'an encoded character (%) is never allowed';
  const segments = path.slice(1).split('/');
  for (const [index, segment] of segments.entries()) {
    if (segment === '') return path === '/' ? 'it has no path' : 'it has an empty part (// or a / at the end)';
    if (segment === '.' || segment === '..') return `${segment} is not allowed in a path`;
    if (segment === '*') continue;
    if (segment === '**') {
      const kind = segments[0] === LIBPOD ? 1 : 0;
      if (!SLASHED.includes(segments[kind] ?? '') || index <= kind)
        return `** stands for a name with slashes, which only ${SLASHED.map((name) => `/${name}`).join(', ')} have`;
      if (segments.slice(index + 1).some((later) => later.includes('*')) || segments.indexOf('*') !== -1)
        return 'only fixed parts can stand beside **';
    } else if (segment.includes('*')) return '* stands for a whole part between two slashes';
    else if (!/^[A-Za-z0-9_][A-Za-z0-9_.:@+-]*$/.test(segment))
      return `"${segment}" has characters other than letters, digits and _ . : @ + -`;
  }
  return undefined;
}

/** The anchored regular expression, for JavaScript and PCRE, of the requests `METHOD /path` that the pattern allows. */
export function patternExpression({ methods, path }: RolePattern): string {
  const method = methods.length === 1 ? methods[0] : `(?:${methods.join('|')})`;
  const parts = path
    .slice(1)
    .split('/')
    .map((segment, index) => {
      if (segment === '*') return index === 0 ? FIRST : SEGMENT;
      return segment === '**' ? `${SEGMENT}(?:/${SEGMENT})*` : segment.replaceAll(/[.+]/g, '\\$&');
    });
  return `^${method} ${path.startsWith(`/${LIBPOD}/`) ? LIBPOD_VERSION : VERSION}/${parts.join('/')}$`;
}
