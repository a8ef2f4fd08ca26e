/** Owns the rules of DESIGN.md section 2 (CONTRIBUTING.md, "Rules"): which room may use what. Pure: files in, broken rules out. */

export type SourceFile = { readonly path: string; readonly text: string };

const PURE = ['pki', 'daemon', 'config', 'plan', 'audit'];
const APART = ['remote', 'store', 'docker'];

/** Rooms (and single files) from which a file of a room may import, besides its own and src/*.ts. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  pki: [],
  daemon: ['pki'],
  config: PURE,
  plan: PURE,
  audit: PURE,
  remote: PURE,
  store: PURE,
  docker: PURE,
  workflows: [...PURE, ...APART],
  cli: [...PURE, ...APART, 'workflows'],
  // src/*.ts: the contracts, which name types of rooms only.
  '': [],
};

/** Each library has one owner; a few small pure ones have two. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  commander: ['cli'],
  diff: ['plan', 'cli'],
  execa: ['remote', 'docker', 'workflows'],
  'fs-extra': ['store'],
  inquirer: ['cli'],
  'jsonc-parser': ['daemon', 'plan', 'config', 'audit', 'docker'],
  'node-forge': ['pki'],
  'p-map': ['workflows', 'store', 'remote'],
  picocolors: ['cli'],
  ssh2: ['remote'],
  yaml: ['config', 'audit'],
  zod: ['config'],
};

/** What a pure room may take from Node: computing, not effects. */
const PURE_BUILTINS = ['node:crypto', 'node:util', 'node:buffer', 'node:path', 'node:path/posix', 'node:url'];
/** Of node:net only the functions that look at text. */
const PURE_NET = /^import \{ (?:(?:isIP|isIPv4|isIPv6|BlockList|SocketAddress)(?:, )?)+ \} from 'node:net'/m;

const MAX_LINES = 400;

type Import = { readonly from: string; readonly typeOnly: boolean };

/** One line for every rule that is broken, `path: what`. */
export function brokenRules(files: readonly SourceFile[]): string[] {
  return files.flatMap((file) => rulesFor(file).map((what) => `${file.path}: ${what}`));
}

function rulesFor({ path, text }: SourceFile): string[] {
  const broken: string[] = [];
  const room = /^src\/([^/]+)\//.exec(path)?.[1] ?? '';
  const code = withoutComments(text);
  const declared = path.endsWith('.d.ts');
  for (const one of importsOf(code)) {
    const problem = importProblem(path, room, one, text);
    if (problem !== undefined) broken.push(problem);
  }
  if (!(room in MAY_IMPORT)) broken.push(`the room ${room} has no rules; add it to test/support/import-rules.ts`);
  if (PURE.includes(room) && !declared) {
    if (/\bDate\.now\(|\bnew Date\(\s*\)|\bperformance\.now\(/.test(code))
      broken.push('reads the clock in a pure room');
    if (/\bMath\.random\(/.test(code)) broken.push('uses chance that is neither secure nor given');
    if (/\bconsole\.|\bprocess\.(?:env|std\w+|argv|cwd|exit\w*|platform|kill|on|hrtime)\b/.test(code)) {
      broken.push('uses the console or the process in a pure room');
    }
  }
  if (/\bprocess\.(?:exit\(|abort\(|exitCode\s*=)/.test(code)) broken.push('ends the process; only bin/ does');
  if (/^\s*export default\b/m.test(code) && !declared) broken.push('has a default export');
  if (/^\s*export \*/m.test(code) || onlyReExports(code)) broken.push('is a barrel file');
  if (/(^|\/)(utils?|helpers?|common|misc|shared)(\/|\.ts$)/.test(path)) broken.push('has a name that says nothing');
  if (!/^(?:#!.*\n)?\s*(?:\/\*\*|\/\/)/.test(text)) broken.push('does not begin with a comment that says what it owns');
  const lines = text.split('\n').length;
  if (lines > MAX_LINES) broken.push(`is ${lines} lines long; ${MAX_LINES} at most`);
  return broken;
}

function importProblem(path: string, room: string, { from, typeOnly }: Import, text: string): string | undefined {
  if (from.startsWith('.')) {
    const to = resolvePath(path, from);
    if (!/\.(?:ts|js|json|sh|html)$/.test(to)) return `imports ${from} without its extension`;
    const other = /^src\/([^/]+)\//.exec(to)?.[1] ?? '';
    if (other === room || other === '' || (room === '' && typeOnly)) return undefined;
    if (APART.includes(room) && APART.includes(other)) return `imports ${from}: remote, store and docker stay apart`;
    // A type costs nothing at run time, but a pure room must not even name what is above it.
    if (MAY_IMPORT[room]?.includes(other) || (typeOnly && PURE.includes(room) && APART.includes(other)))
      return undefined;
    return `imports ${from}: ${room || 'src'} may not use ${other}`;
  }
  if (from.startsWith('node:')) {
    if (!PURE.includes(room) || typeOnly || PURE_BUILTINS.includes(from)) return undefined;
    if (from === 'node:net' && PURE_NET.test(text)) return undefined;
    return `imports ${from} in a pure room`;
  }
  const library = from.startsWith('@') ? from.split('/').slice(0, 2).join('/') : (from.split('/')[0] as string);
  const owners = OWNERS[library];
  if (!owners) return `imports ${library}, which has no owner in test/support/import-rules.ts`;
  return owners.includes(room) ? undefined : `imports ${library}, which belongs to ${owners.join(', ')}`;
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

/** Comments become spaces; strings stay (they hold the imports' paths). */
function withoutComments(text: string): string {
  return text.replace(
    /'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`|\/\*[\s\S]*?\*\/|(?<![:\\/[])\/\/[^\n]*/g,
    (part) =>
      part.startsWith('/') ? ' ' : part.startsWith('`') ? part.replace(/\bprocess\b|\bconsole\b/g, ' ') : part,
  );
}
