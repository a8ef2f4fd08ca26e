/** The rules of CONTRIBUTING.md: which directory may use what. Pure: files in, broken rules out. */

export type SourceFile = { readonly path: string; readonly text: string };

const PURE = [
  'domain',
  'domain/pki',
  'domain/trust',
  'domain/fleet',
  'domain/dockerd',
  'domain/plan',
  'domain/audit',
  'domain/tools',
];
const APART = ['adapters/ssh', 'adapters/store', 'adapters/docker', 'adapters/issuer', 'adapters/files'];
/** What every directory may import: contracts, errors, and the text of the scripts that run on a host. */
const OPEN = ['', 'errors', 'host'];

/** Directories from which a file of a directory may import, besides its own and OPEN. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  domain: ['domain/pki', 'domain/audit'],
  'domain/pki': ['domain'],
  'domain/trust': PURE,
  'domain/fleet': PURE,
  'domain/dockerd': ['domain', 'domain/pki'],
  'domain/plan': PURE,
  'domain/tools': ['domain'],
  'domain/audit': PURE,
  'adapters/ssh': PURE,
  'adapters/store': PURE,
  'adapters/docker': PURE,
  'adapters/issuer': PURE,
  'adapters/files': PURE,
  engine: PURE,
  adapters: [...PURE, ...APART],
  actions: [...PURE, ...APART, 'engine'],
  // Of the files of adapters/ itself: all adapters as one Runtime.
  cli: [...PURE, 'actions', 'adapters'],
  errors: [],
  host: [],
  // src/*.ts: the contracts, which name types of other directories only.
  '': [],
};

/** Each library has one owner; a few small pure ones have two. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  '@noble/curves': ['adapters/store'],
  'age-encryption': ['adapters/store'],
  commander: ['cli'],
  diff: ['domain/plan', 'cli'],
  execa: ['adapters/ssh', 'adapters/docker', 'adapters/issuer'],
  'fast-string-truncated-width': ['domain'],
  'fast-string-width': ['domain'],
  'fast-wrap-ansi': ['domain'],
  inquirer: ['cli'],
  'jsonc-parser': ['domain/dockerd', 'domain/plan', 'domain/fleet', 'domain/audit', 'adapters/docker'],
  'node-forge': ['domain/pki'],
  'p-map': ['engine', 'adapters/store', 'adapters/ssh'],
  picocolors: ['cli'],
  shlex: ['domain'],
  ssh2: ['adapters/ssh', 'adapters/store'],
  yaml: ['domain/fleet', 'domain/plan', 'domain/audit'],
  zod: ['domain', 'domain/fleet', 'domain/plan', 'adapters/store', 'actions'],
};

/** What the domain may take from Node: computing, not effects. */
const PURE_BUILTINS = ['node:crypto', 'node:util', 'node:buffer', 'node:path', 'node:path/posix', 'node:url'];
/** Of node:net only the functions that look at text. */
const PURE_NET = /^import \{ (?:(?:isIP|isIPv4|isIPv6|BlockList|SocketAddress)(?:, )?)+ \} from 'node:net'/m;

const MAX_LINES = 300;
/** A command is its flags, one action and one renderer. */
const MAX_COMMAND_LINES = 60;

type Import = { readonly from: string; readonly typeOnly: boolean; readonly late: boolean };

/** `domain/pki`, `adapters/ssh`, `cli`; '' for src/*.ts. */
function placeOf(path: string): string {
  return /^src\/((?:(?:domain|adapters)\/[^/]+|[^/]+)(?=\/))/.exec(path)?.[1] ?? '';
}

/** One line for every rule that is broken, `path: what`. */
export function brokenRules(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => rulesFor(file).map((what) => `${file.path}: ${what}`));
}

/** Files that import one another, types included, one line for each circle. What is loaded only when it is needed (`import()`) begins none. */
export function circles(files: readonly SourceFile[]): string[] {
  const imports = new Map(
    files.map(({ path, text }) => [
      path,
      importsOf(withoutComments(text)).flatMap(({ from, late }) =>
        late || !from.startsWith('.') ? [] : [resolvePath(path, from)],
      ),
    ]),
  );
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) found.push([...way.slice(way.indexOf(path)), path].join(' -> '));
    else if (!done.has(path)) for (const next of imports.get(path) ?? []) visit(next, [...way, path]);
    done.add(path);
  };
  for (const path of imports.keys()) visit(path, []);
  return found;
}

function rulesFor({ path, text }: SourceFile): string[] {
  const broken: string[] = [];
  const place = placeOf(path);
  const code = withoutComments(text);
  const declared = path.endsWith('.d.ts');
  for (const one of importsOf(code)) {
    const problem = importProblem(path, place, one, text);
    if (problem !== undefined) broken.push(problem);
  }
  if (!(place in MAY_IMPORT))
    broken.push(`the directory ${place} has no rules; add it to test/support/import-rules.ts`);
  if (PURE.includes(place) && !declared) {
    if (/\bDate\.now\(|\bnew Date\(\s*\)|\bperformance\.now\(/.test(code)) broken.push('reads the clock in the domain');
    if (/\bMath\.random\(/.test(code)) broken.push('uses chance that is neither secure nor given');
    if (/\bconsole\.|\bprocess\.(?:env|std\w+|argv|cwd|exit\w*|platform|kill|on|hrtime)\b/.test(code)) {
      broken.push('uses the console or the process in the domain');
    }
  }
  if (/\bprocess\.(?:exit\(|abort\(|exitCode\s*=)/.test(code)) broken.push('ends the process; only bin/ does');
  if (/^\s*export default\b/m.test(code) && !declared) broken.push('has a default export');
  if (/^\s*export \*/m.test(code) || onlyReExports(code)) broken.push('is a barrel file');
  if (/(^|\/)(utils?|helpers?|common|misc|shared)(\/|\.ts$)/.test(path)) broken.push('has a name that says nothing');
  if (!/^(?:#!.*\n)?\s*(?:\/\*\*|\/\/)/.test(text))
    broken.push('does not begin with a comment that names what is in it');
  if (/^(?:\/\*\*\s+(?:\* )?|\/\/ )Owns /.test(text)) broken.push('begins with "Owns": name what is in it');
  const lines = text.trimEnd().split('\n').length;
  const most = path.startsWith('src/cli/commands/') ? MAX_COMMAND_LINES : MAX_LINES;
  if (lines > most) broken.push(`is ${lines} lines long; ${most} at most`);
  return broken;
}

function importProblem(path: string, place: string, { from, typeOnly }: Import, text: string): string | undefined {
  if (from.startsWith('.')) {
    const to = resolvePath(path, from);
    if (!/\.(?:ts|js|json|sh|html)$/.test(to)) return `imports ${from} without its extension`;
    const other = placeOf(to);
    if (other === place || OPEN.includes(other) || (place === '' && typeOnly)) return undefined;
    if (APART.includes(place) && APART.includes(other)) return `imports ${from}: adapters stay apart`;
    // A type costs nothing at run time: the domain and the engine may name an adapter's.
    if (typeOnly && APART.includes(other) && (place === 'engine' || PURE.includes(place))) return undefined;
    if (MAY_IMPORT[place]?.includes(other)) return undefined;
    return `imports ${from}: ${place || 'src'} may not use ${other}`;
  }
  if (from.startsWith('node:')) {
    if (!PURE.includes(place) || typeOnly || PURE_BUILTINS.includes(from)) return undefined;
    if (from === 'node:net' && PURE_NET.test(text)) return undefined;
    return `imports ${from} in the domain`;
  }
  const library = from.startsWith('@') ? from.split('/').slice(0, 2).join('/') : (from.split('/')[0] as string);
  const owners = OWNERS[library];
  if (!owners) return `imports ${library}, which has no owner in test/support/import-rules.ts`;
  return owners.includes(place) ? undefined : `imports ${library}, which belongs to ${owners.join(', ')}`;
}

function importsOf(code: string): Import[] {
  const found: Import[] = [];
  for (const match of code.matchAll(/\b(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?'([^'\n]+)'/g)) {
    found.push({ from: match[2] as string, typeOnly: match[1] !== undefined, late: false });
  }
  for (const match of code.matchAll(/\b(?:import|require)\(\s*'([^'\n]+)'/g)) {
    found.push({ from: match[1] as string, typeOnly: false, late: true });
  }
  return found;
}

function onlyReExports(code: string): boolean {
  const statements = code.split(';').filter((statement) => statement.trim() !== '');
  return statements.length > 0 && statements.every((one) => /^\s*export\s[^=]*\sfrom\s/.test(one));
}

function resolvePath(from: string, relative: string): string {
  const parts = from.split('/').slice(0, -1);
  for (const part of relative.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** Comments become spaces; strings stay (they hold the imports' paths). */
function withoutComments(text: string): string {
  return text.replace(
    /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|\/\*[\s\S]*?\*\/|(?<![:\\/[])\/\/[^\n]*/g,
    (part) =>
      part.startsWith('/') ? ' ' : part.startsWith('`') ? part.replace(/\bprocess\b|\bconsole\b/g, ' ') : part,
  );
}
