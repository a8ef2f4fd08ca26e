/** The rules of CONTRIBUTING.md: allowed imports by directory. Pure: files in, violations out. */

export type SourceFile = { readonly path: string; readonly text: string };

/** Directories of the core without effects. */
const PURE = ['', '/pki', '/trust', '/hosts', '/dockerd', '/plan'].map((name) => `core/domain${name}`);
const APART = ['ssh', 'store', 'docker', 'files'].map((name) => `core/adapters/${name}`);
/** Imports allowed everywhere: contracts, errors, seams, and the text of the host scripts. */
const OPEN = ['core', 'core/seams', 'errors', 'core/host'];
/** Formats that several features share. */
const FORMATS = 'formats';
/** All of the repository; a copy of scripts/without lacks some. */
export const FEATURES = [
  'audit',
  'team',
  'issuers',
  'tools',
  'haproxy',
  'host-csr',
  'doctor',
  'firewall',
  'openssh',
  'notices',
  'tunnel',
  'bundles',
  'ca-rotation',
  'fleet',
  'init',
  'rootless',
  'podman',
  'completion',
  'contexts',
  'wizard',
];

/** Directories from which a file of a directory may import, in addition to its own and OPEN. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  'core/domain': ['core/domain/pki'],
  'core/domain/pki': ['core/domain'],
  'core/domain/trust': PURE,
  'core/domain/hosts': PURE,
  'core/domain/dockerd': ['core/domain', 'core/domain/pki'],
  'core/domain/plan': PURE,
  'core/adapters/ssh': PURE,
  'core/adapters/store': PURE,
  'core/adapters/docker': PURE,
  'core/adapters/files': PURE,
  'core/engine': PURE,
  'core/adapters': [...PURE, ...APART],
  'core/actions': [...PURE, ...APART, 'core/engine'],
  // From the files of adapters/ itself: all adapters as one Runtime.
  'core/commands': [...PURE, ...APART, 'core/engine', 'core/actions', 'core/render', 'cli'],
  'core/render': [...PURE, 'core/actions', 'cli'],
  [FORMATS]: ['core/domain/pki'],
  cli: [...PURE, 'core/actions', 'core/adapters', 'core/commands', 'core/render'],
  errors: [],
  'core/host': [],
  // Contracts: they only name types of other directories.
  core: [],
  'core/seams': [],
  // The list of features, and the program's entry points.
  '': ['features'],
  entry: ['', 'cli'],
  ...Object.fromEntries(FEATURES.map((name) => [`features/${name}`, ['core/domain', 'cli']])),
};

/** Directories of a feature, each with the core directory whose rules apply; a feature may also import itself. */
const LIKE: Readonly<Record<string, readonly string[]>> = {
  domain: PURE,
  adapters: [...PURE, ...APART],
  store: [...PURE, 'core/adapters/store'],
  engines: [...PURE, 'core/adapters/store'],
  engine: [...PURE, 'core/engine'],
  actions: [...PURE, ...APART, 'core/engine', 'core/actions'],
  commands: [...PURE, ...APART, 'core/engine', 'core/actions', 'core/render', 'cli'],
  render: [...PURE, 'core/actions', 'core/render'],
  host: [],
  cli: [...PURE, 'cli'],
};

/** The owner of each library; a few small pure ones have two. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  '@noble/curves': [FORMATS, 'features/team'],
  'age-encryption': ['features/team'],
  commander: ['cli'],
  diff: ['core/domain/plan', 'core/render'],
  execa: ['core/adapters/ssh', 'core/adapters/docker', 'features/issuers', 'features/team'],
  'fast-string-truncated-width': ['core/domain'],
  'fast-string-width': ['core/domain'],
  'fast-wrap-ansi': ['core/domain'],
  inquirer: ['cli'],
  'fs-extra': ['core/adapters/docker', 'features/contexts'],
  'jsonc-parser': ['core/domain/dockerd', 'core/domain/plan', 'core/adapters/docker', 'features/audit'],
  'node-forge': ['core/domain/pki'],
  'p-map': ['core/engine', 'core/adapters/store', 'core/adapters/ssh'],
  picocolors: ['cli', 'core/render', 'features/audit'],
  shlex: ['core/domain'],
  ssh2: ['core/adapters/ssh', 'features/audit', 'features/team'],
  yaml: ['core/domain/plan', 'features/audit', 'features/fleet', 'features/tools'],
  zod: [
    'core/domain',
    'core/domain/plan',
    'core/adapters/store',
    'core/actions',
    'features/fleet',
    'features/team',
    'features/tools',
  ],
};

/** Node built-ins for the domain: computation without effects. */
const PURE_BUILTINS = ['node:crypto', 'node:util', 'node:buffer', 'node:path', 'node:path/posix', 'node:url'];
/** From node:net, only the functions that parse text. */
const PURE_NET = /^import \{ (?:(?:isIP|isIPv4|isIPv6|BlockList|SocketAddress)(?:, )?)+ \} from 'node:net'/m;

const MAX_LINES = 300;

type Import = { readonly from: string; readonly typeOnly: boolean };

/** `core/domain/pki`, `core/adapters/ssh`, `cli`, `features/audit/domain`; '' for src/*.ts. */
function placeOf(path: string): string {
  const found =
    /^src\/((?:core\/(?:domain|adapters)\/[^/]+|core\/[^/]+|features\/[^/]+\/[^/]+|features\/[^/]+|[^/]+)(?=\/))/.exec(
      path,
    );
  return found?.[1] ?? '';
}

/** `audit` of `features/audit/domain`. */
function featureOf(place: string): string | undefined {
  return /^features\/([^/]+)/.exec(place)?.[1];
}

function mayImport(place: string): readonly string[] | undefined {
  const layer = featureOf(place) === undefined ? undefined : place.split('/')[2];
  return layer === undefined ? MAY_IMPORT[place] : LIKE[layer];
}

/** The domain of the core, or of a feature, and formats. */
function isPure(place: string): boolean {
  return PURE.includes(place) || place === FORMATS || /^features\/[^/]+\/domain$/.test(place);
}

/** One line for each violation, `path: what`. */
export function brokenRules(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => rulesFor(file).map((what) => `${file.path}: ${what}`));
}

/** Tests of the core and of the command line, and what tests share, that import a feature or what its tests share: one line for each. */
export function featuresInTests(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    /^test\/(?:core|cli|formats|support)\//.test(path)
      ? importsOf(withoutComments(text))
          .filter(({ from }) => from.startsWith('.') && /^(?:src|test)\/features\//.test(resolvePath(path, from)))
          .map(({ from }) => `${path}: imports ${from}: belongs into test/features`)
      : [],
  );
}

/** Import circles, including types and `import()`, one line each. */
export function circles(files: readonly SourceFile[]): string[] {
  const imports = new Map(
    files.map(({ path, text }) => [
      path,
      importsOf(withoutComments(text)).flatMap(({ from }) => (from.startsWith('.') ? [resolvePath(path, from)] : [])),
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
  if (mayImport(place) === undefined)
    broken.push(`the directory ${place} has no rules; add it to test/support/import-rules.ts`);
  if (isPure(place) && !declared) {
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
  if (lines > MAX_LINES) broken.push(`is ${lines} lines long; ${MAX_LINES} at most`);
  return broken;
}

function importProblem(path: string, place: string, { from, typeOnly }: Import, text: string): string | undefined {
  if (from.startsWith('.')) {
    const to = resolvePath(path, from);
    if (!/\.(?:ts|js|json|sh|html)$/.test(to)) return `imports ${from} without its extension`;
    const other = placeOf(to);
    const feature = featureOf(place);
    if (featureOf(other) !== undefined && place !== '' && featureOf(other) !== feature)
      return `imports ${from}: ${feature === undefined ? `${place} sees no feature` : 'features stay apart'}`;
    if (other === FORMATS && feature !== undefined) return undefined;
    if (place === FORMATS && OPEN.includes(other) && other !== 'errors')
      return `imports ${from}: formats may not use ${other}`;
    if (other === place || OPEN.includes(other) || (featureOf(other) !== undefined && !isPure(place))) return undefined;
    if (typeOnly && (place === 'core' || place === 'core/seams')) return undefined;
    if (APART.includes(place) && APART.includes(other)) return `imports ${from}: adapters stay apart`;
    // A type costs nothing at run time: domain and engine may name an adapter's types.
    if (
      typeOnly &&
      (APART.includes(other) || other === `features/${feature}/adapters`) &&
      (/(?:core|features\/[^/]+)\/engine$/.test(place) || isPure(place))
    )
      return undefined;
    if (mayImport(place)?.includes(other)) return undefined;
    return `imports ${from}: ${place || 'src'} may not use ${other}`;
  }
  if (from.startsWith('node:')) {
    if (!isPure(place) || typeOnly || PURE_BUILTINS.includes(from)) return undefined;
    if (from === 'node:net' && PURE_NET.test(text)) return undefined;
    return `imports ${from} in the domain`;
  }
  const library = from.startsWith('@') ? from.split('/').slice(0, 2).join('/') : (from.split('/')[0] as string);
  const owners = OWNERS[library];
  if (!owners) return `imports ${library}, which has no owner in test/support/import-rules.ts`;
  return owners.includes(place) || owners.includes(`features/${featureOf(place)}`)
    ? undefined
    : `imports ${library}, which belongs to ${owners.join(', ')}`;
}

function importsOf(code: string): Import[] {
  const found: Import[] = [];
  for (const match of code.matchAll(/\b(?:import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?'([^'\n]+)'/g)) {
    found.push({ from: match[2] as string, typeOnly: match[1] !== undefined });
  }
  for (const match of code.matchAll(/\b(?:import|require)\(\s*'([^'\n]+)'/g)) {
    found.push({ from: match[1] as string, typeOnly: false });
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

/** Replaces comments with spaces; keeps strings (they hold the imports' paths). */
function withoutComments(text: string): string {
  return text.replace(
    /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|\/\*[\s\S]*?\*\/|(?<![:\\/[])\/\/[^\n]*/g,
    (part) =>
      part.startsWith('/') ? ' ' : part.startsWith('`') ? part.replace(/\bprocess\b|\bconsole\b/g, ' ') : part,
  );
}
