import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ssh2 from 'ssh2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { buildProgram, type Program } from '../support/cli.ts';

let program: Program;
let dist: string;
beforeAll(() => {
  program = buildProgram();
  dist = join(dirname(program.bin), '../dist');
});
afterAll(() => program.remove());

/** Packages and src files in `file` and in its static imports, by the comments that rolldown leaves. */
function loadedBy(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file)) return new Set();
  seen.add(file);
  const text = readFileSync(file, 'utf8');
  const own = [...text.matchAll(/^ *\/\/ (?:\S*node_modules\/((?:@[^/\s]+\/)?[^/\s]+)\/\S+|(src\/\S+))$/gm)];
  const more = [...text.matchAll(/^(?:import\b[^"'()]*|\} from )["'](\.\/[^"']+)["'];/gm)];
  return new Set([
    ...own.map(([, name, path]) => name ?? (path as string)),
    ...more.flatMap(([, path]) => [...loadedBy(join(dirname(file), path as string), seen)]),
  ]);
}

/** The file of the build that holds `source`. */
function holding(source: string): string {
  const found = readdirSync(dist)
    .map((name) => join(dist, name))
    .find((file) => file.endsWith('.js') && readFileSync(file, 'utf8').includes(`\n// ${source}\n`));
  if (found === undefined) throw new Error(`the build does not hold ${source}`);
  return found;
}

const packages = (loaded: ReadonlySet<string>) => [...loaded].filter((name) => !name.startsWith('src/'));
const under = (loaded: ReadonlySet<string>, path: string) => [...loaded].filter((name) => name.startsWith(path));

test.each([
  ['completion', 'src/entry/complete.ts', 'src/cli/command-pages.ts'],
  ['env for a shell', 'src/core/commands/env-at-once.ts', 'src/core/adapters/store/look.ts'],
])('%s loads no package but one that quotes, and of the store a look alone', (_, entry, part) => {
  const files = new Set<string>();
  const loaded = loadedBy(holding(entry), files);
  expect([...loaded]).toEqual(expect.arrayContaining([entry, part, 'src/errors/errors.ts']));
  expect(packages(loaded)).toEqual(['shlex']);
  const store = ['look', 'modes', 'store-pem'].map((name) => `src/core/adapters/store/${name}.ts`);
  expect(under(loaded, 'src/core/adapters/').filter((path) => !store.includes(path))).toEqual([]);
  // It takes 3 ms of the start.
  for (const file of files) expect(readFileSync(file, 'utf8')).not.toContain('from "node:crypto"');
});

test('completion and help read a command as data, without its code', async () => {
  const pages = JSON.parse(readFileSync(join(dist, 'commands.json'), 'utf8'));
  for (const entry of COMMANDS) {
    const { run: _, ...page } = await entry.load();
    expect(pages[entry.name]).toEqual(JSON.parse(JSON.stringify(page)));
  }
});

test('the start of a command parses nothing yet: no commander, no schemas', () => {
  const loaded = packages(loadedBy(holding('src/cli/main.ts')));
  expect(loaded).toContain('shlex');
  for (const name of ['commander', 'zod', 'node-forge', 'ssh2', 'yaml']) expect(loaded).not.toContain(name);
});

test('env loads no engine of a shared store, no X.509 of ours and no connection', () => {
  const loaded = loadedBy(holding('src/core/commands/env.ts'));
  expect([...loaded]).toEqual(
    expect.arrayContaining(['zod', 'src/core/actions/open-store.ts', 'src/core/adapters/store/store.ts']),
  );
  for (const name of ['node-forge', 'ssh2', 'yaml']) expect([...loaded]).not.toContain(name);
  const late = ['src/features/team/engines/', 'src/features/team/store/session.ts', 'src/features/fleet/actions/'];
  expect(late.flatMap((path) => under(loaded, path))).toEqual([]);
});

test('what a change may need after it is loaded with it: the program may be replaced meanwhile', () => {
  const loaded = loadedBy(holding('src/core/commands/rotate-server.ts'));
  const later = { contexts: 'adapters/installed-copies.ts', audit: 'engine/install-packages.ts' };
  for (const [name, path] of Object.entries(later)) {
    const feature = `src/features/${name}`;
    if (existsSync(new URL(`../../${feature}`, import.meta.url))) expect([...loaded]).toContain(`${feature}/${path}`);
  }
});

test.each(['commands/rotate-client', 'engine/change-each', 'engine/ask-hosts'])(
  '%s loads no check of the audit and no shared store',
  (name) => {
    const loaded = loadedBy(holding(`src/core/${name}.ts`));
    const late = [
      'src/features/audit/domain/checks/',
      'src/features/team/engines/',
      'src/features/team/store/session.ts',
    ];
    expect(late.flatMap((path) => under(loaded, path))).toEqual([]);
  },
);

test('of ssh2 the build has the client, and no server', () => {
  const files = readdirSync(dist).filter((name) => name.endsWith('.js'));
  const texts = files.map((name) => readFileSync(join(dist, name), 'utf8'));
  const having = (text: string) => texts.filter((one) => one.includes(text)).length;
  expect(having('Client = class extends EventEmitter')).toBe(1);
  for (const text of ['AuthContext = class', 'SFTP = class', '"SSHTTPAgent"']) expect(having(text)).toBe(0);
});

test("CommonJS packages are parsed once, and take Node's modules without a loader", () => {
  const files = readdirSync(dist).filter((name) => name.endsWith('.js'));
  const texts = files.map((name) => readFileSync(join(dist, name), 'utf8'));
  for (const slow of ['__commonJSMin(((', '= createRequire(', '__require('])
    expect(texts.filter((text) => text.includes(slow))).toEqual([]);
  expect(texts.some((text) => text.includes('__commonJSMin((function('))).toBe(true);
});

test('a Node without getBuiltinModule, as the first of 22, runs it', async () => {
  const home = mkdtempSync(join(tmpdir(), 'docker-tls-start-'));
  const without = '--import=data:text/javascript,process.getBuiltinModule=undefined';
  const options = { env: { ...process.env, NODE_OPTIONS: without, DOCKER_TLS_HOME: home, HOME: home } };
  const { status, out } = await program.run(['ca', 'create', '--no-ca-passphrase'], options);
  rmSync(home, { recursive: true });
  expect([status, out]).toEqual([0, expect.stringMatching(/^CA docker-tls /)]);
});

test('the build reads a key that needs bcrypt-pbkdf', async () => {
  const { default: built } = await import(holding('node_modules/ssh2/lib/index.js'));
  const { private: text } = ssh2.utils.generateKeyPairSync('ed25519', {
    passphrase: 'one',
    cipher: 'aes256-ctr',
    rounds: 1,
  });
  expect(built.utils.parseKey(text, 'one').type).toBe('ssh-ed25519');
  expect(built.utils.parseKey(text, 'two')).toBeInstanceOf(Error);
});

test('the build is ASCII alone, which Node reads in half the space', () => {
  const files = readdirSync(dist).filter((name) => name.endsWith('.js'));
  const wide = files.filter((name) => readFileSync(join(dist, name)).some((byte) => byte > 127));
  expect(wide).toEqual([]);
});
