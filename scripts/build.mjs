// Bundles src/entry/ into dist/ with rolldown: ESM, our own dependencies included, so that the package starts fast and needs no build
// step. Shell scripts are bundled as text. What is bundled is listed in packages.json, with its licences in THIRD-PARTY-LICENSES.txt.
//
// Node takes 0.2 ms for each file of a program, and as much for each import of one: a file for every set of modules that some commands
// share would double the start. So what the most frequent commands load is cut into LAYERS, a file each; the rest is a file per command.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { ensureDirSync, readJsonSync, removeSync } from 'fs-extra/esm';
import { rolldown } from 'rolldown';

// Usage: node scripts/build.mjs [OUTDIR]; tests build into a directory of their own. With --single after it: the same files as CommonJS, and
// bin/docker-tls.js as start.js, for the single executable (scripts/single.mjs).
const outdir = process.argv[2] ?? 'dist';
const single = process.argv[3] === '--single';
const root = fileURLToPath(new URL('..', import.meta.url));
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

/** Those of the core, and of the features that are not deleted. */
const here = (...paths) => paths.filter((path) => existsSync(join(root, path)));

/** What a change may load when it has been made, perhaps by a program that was replaced meanwhile: with the change itself. */
const LATE = here('src/features/audit/engine/install-packages.ts');

/** What sets up, or takes away, docker's contexts. */
const CONTEXTS = here('src/features/contexts/actions/copies.ts');

/** Each is what its modules import at once, less what the layers before it have. */
const LAYERS = {
  'env-at-once': ['src/core/commands/env-at-once.ts'],
  complete: ['src/entry/complete.ts', ...here('src/features/completion/cli/candidates.ts')],
  notice: here('src/features/notices/cli/notice.ts'),
  core: ['src/entry/main.ts'],
  store: ['src/core/actions/open-store.ts'],
  env: ['src/core/commands/env.ts'],
  // What the feature openssh reads before a login is there when it asks for it.
  connect: [
    'src/core/adapters/ssh/connect.ts',
    ...here('src/features/openssh/adapters/ssh-config.ts', 'src/features/openssh/adapters/agent-keys.ts'),
  ],
  hosts: ['src/core/actions/select-hosts.ts'],
  status: ['src/core/commands/status.ts', ...here('src/features/ca-rotation/domain/progress.ts')],
  // Of apply what forget and remove share as well.
  plan: ['src/core/commands/plan.ts', ...CONTEXTS],
  run: ['src/core/commands/rotate-server.ts', ...LATE],
  setup: ['src/core/commands/setup.ts', ...here('src/features/wizard/actions/wizard.ts')],
  fleet: here('src/features/fleet/actions/fleet-files-code.ts'),
};
const layerOf = new Map();
const findLayers = {
  name: 'layers',
  buildEnd() {
    const known = new Set(this.getModuleIds());
    const closure = (entry) => {
      const first = join(root, entry);
      if (!known.has(first)) throw new Error(`no ${entry}`);
      const found = new Set([first]);
      for (const id of found)
        for (const next of this.getModuleInfo(id).importedIds) if (known.has(next)) found.add(next);
      return found;
    };
    for (const [layer, entries] of Object.entries(LAYERS))
      for (const id of entries.flatMap((entry) => [...closure(entry)])) if (!layerOf.has(id)) layerOf.set(id, layer);
  },
};

/**
 * What a program loads while it waits for what it has just begun, and after how many milliseconds: ssh2 at once, as the login needs it; what
 * probes the daemon while the host answers.
 */
const MEANWHILE = { 'src/core/adapters/ssh/connect.ts': { ssh2: 0, '../docker/probe.ts': 100 } };
const loadMeanwhile = {
  name: 'load-meanwhile',
  transform(code, id) {
    const [, names] = Object.entries(MEANWHILE).find(([path]) => id === join(root, path)) ?? [];
    if (names === undefined) return undefined;
    const loads = Object.entries(names).map(([name, ms]) => {
      const load = `() => import('${name}').catch(() => {})`;
      return ms === 0 ? `setImmediate(${load});` : `setTimeout(${load}, ${ms}).unref();`;
    });
    return [code, ...loads].join('\n');
  },
  buildEnd() {
    const known = new Set(this.getModuleIds());
    for (const path of Object.keys(MEANWHILE)) if (!known.has(join(root, path))) throw new Error(`no ${path}`);
  },
};

/** Parts of ssh2 that the program has no use for: a third of what it would read before the first login. */
const withoutServer = {
  name: 'without-server',
  load(id) {
    return /\/ssh2\/lib\/(server|keygen|http-agents|protocol\/SFTP)\.js$/.test(id) ? 'module.exports = {};' : undefined;
  },
};

/** What ssh2's ASN.1 has of Node's `assert`, which is loaded for a failure. */
const ASSERT_LATE = `const assert = {
  ok: (value, ...more) => value || require('assert').ok(value, ...more),
  equal: (value, wanted, ...more) => value == wanted || require('assert').equal(value, wanted, ...more),
};`;

/**
 * CommonJS packages get Node's modules without its loader for CommonJS, and the native add-ons of ssh2, which are optional and not here, are
 * not looked for in the directories above. A key without a passphrase is read without bcrypt-pbkdf.
 */
const withoutLoader = {
  name: 'without-loader',
  transform(code, id) {
    if (!id.includes('/node_modules/') || id.endsWith('.mjs')) return undefined;
    return code
      .replace("var assert = require('assert');", ASSERT_LATE)
      .replace(/\brequire\((['"])(.+?)\1\)/g, (found, _, name) =>
        isBuiltin(name)
          ? `__builtin('${name}')`
          : name === 'cpu-features' || name.endsWith('.node')
            ? 'undefined.native'
            : found,
      )
      .replace("typeof require !== 'undefined'", 'true')
      .replace("require('bcrypt-pbkdf').pbkdf;", "(...all) => require('bcrypt-pbkdf').pbkdf(...all);");
  },
};

/** For the single executable: bin/docker-tls.js as a CommonJS module of the bundle. */
const startInBundle = {
  name: 'start-in-bundle',
  resolveId(id) {
    const [, name] = /^\.\.\/dist\/(.+)\.js$/.exec(id) ?? [];
    return name && (INPUT[name] ? join(root, INPUT[name]) : { id: name, external: true });
  },
  transform(code, id) {
    if (!id.endsWith('/bin/docker-tls.js')) return undefined;
    const replaced = (text, from, to) => {
      if (!text.includes(from)) throw new Error(`bin/docker-tls.js without ${from}`);
      return text.replace(from, to);
    };
    const read = "JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')).version";
    return replaced(replaced(code, read, 'DOCKER_TLS_VERSION'), 'await start();', 'start();');
  },
};

const INPUT = {
  main: 'src/entry/main.ts',
  features: 'src/features.ts',
  complete: 'src/entry/complete.ts',
  'env-at-once': 'src/core/commands/env-at-once.ts',
  // Of features.
  notice: 'src/features/notices/cli/notice.ts',
  answer: 'src/features/openssh/adapters/askpass-answer.ts',
};
for (const [name, path] of Object.entries(INPUT)) if (here(path).length === 0) delete INPUT[name];

/** Node 21 and the first of 22 have no getBuiltinModule. */
const BUILTIN = single
  ? 'const __builtin = require;\n'
  : "import { createRequire as __createRequire } from 'node:module';\nconst __builtin = process.getBuiltinModule ?? __createRequire(import.meta.url);\n";

removeSync(resolve(root, outdir));
ensureDirSync(resolve(root, outdir));
const bundle = await rolldown({
  cwd: root,
  input: single ? { ...INPUT, start: 'bin/docker-tls.js' } : INPUT,
  platform: 'node',
  // jsonc-parser's main is UMD, whose inner requires no bundler can follow; its module is not.
  resolve: { mainFields: ['module', 'main'] },
  moduleTypes: { '.sh': 'text', '.html': 'text' },
  transform: {
    target: 'node20',
    define: {
      DOCKER_TLS_VERSION: JSON.stringify(version),
      // Of CommonJS packages.
      __dirname: single ? '""' : 'import.meta.dirname',
      __filename: single ? '""' : 'import.meta.filename',
      // Nothing is read next to the single executable.
      ...(single && { 'import.meta.url': '"file:///"' }),
    },
  },
  preserveEntrySignatures: 'allow-extension',
  plugins: [findLayers, loadMeanwhile, withoutServer, withoutLoader, ...(single ? [startInBundle] : [])],
});
const { output } = await bundle.write({
  dir: resolve(root, outdir),
  format: single ? 'cjs' : 'esm',
  entryFileNames: single ? '[name]-[hash].js' : '[name].js',
  chunkFileNames: '[name]-[hash].js',
  codeSplitting: {
    includeDependenciesRecursively: false,
    groups: Object.keys(LAYERS).map((name, index, { length }) => ({
      name,
      priority: length - index,
      test: (id) => layerOf.get(id) === name,
    })),
  },
});
await bundle.close();

// ASCII alone: of such a file V8 keeps and reads one byte for a character and not two. What is not ASCII is in literals and comments, where
// its escape means the same. Of a CommonJS module V8 knows by its `(function` that it is called at once; an arrow it would parse twice.
for (const { fileName, code } of output.filter(({ type }) => type === 'chunk')) {
  const once = code.replace(/__commonJSMin\(\(\(([\w$, ]*)\) => \{/g, '__commonJSMin((function($1) {');
  const escaped = once.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  writeFileSync(resolve(root, outdir, fileName), escaped.includes('__builtin(') ? `${BUILTIN}${escaped}` : escaped);
}

// Beside its own package.json Node takes them for what they are.
if (single) writeFileSync(resolve(root, outdir, 'package.json'), '{ "type": "commonjs" }');
const { fileName: completion } = output.find(({ isEntry, name }) => isEntry && name === 'complete');
const complete = resolve(root, outdir, completion);

// What completion reads in place of the commands.
const { commandPages } = single ? createRequire(complete)(complete) : await import(pathToFileURL(complete).href);
writeFileSync(resolve(root, outdir, 'commands.json'), JSON.stringify(await commandPages()));

// What bin/docker-tls-plugin says of itself, without Node (docker/cli, cli-plugins/metadata/metadata.go).
const plugin = {
  SchemaVersion: '0.1.0',
  Vendor: 'docker-tls',
  Version: version,
  ShortDescription: 'TLS for remote Docker daemons',
};
writeFileSync(resolve(root, outdir, 'plugin.json'), `${JSON.stringify(plugin)}\n`);

const directories = new Set();
for (const input of output.flatMap(({ modules = {} }) => Object.keys(modules))) {
  const found = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input);
  if (found) directories.add(found[0]);
}
const packages = [...directories].sort().map((directory) => {
  const { name, version: found, license } = readJsonSync(join(directory, 'package.json'));
  return { directory, name, version: found, license };
});
const licences = packages.map(({ directory, ...manifest }) => {
  const text = (name) => readFileSync(join(directory, name), 'utf8').trim();
  const files = readdirSync(directory).filter((name) => /^(licen[cs]e|copying|notice)/i.test(name));
  return [`${manifest.name} ${manifest.version} (${manifest.license ?? 'see below'})`, ...files.sort().map(text)].join(
    '\n\n',
  );
});
writeFileSync(
  join(resolve(root, outdir), 'THIRD-PARTY-LICENSES.txt'),
  `docker-tls contains these packages, and entries of golang/vulndb (https://github.com/golang/vulndb, CC-BY-4.0) in its table of known vulnerabilities.\n\n${licences.join(`\n\n${'-'.repeat(80)}\n\n`)}\n`,
);
writeFileSync(
  join(resolve(root, outdir), 'packages.json'),
  `${JSON.stringify(
    packages.map(({ name, version: found, license }) => ({ name, version: found, license })),
    null,
    2,
  )}\n`,
);
