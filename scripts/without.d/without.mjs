/** `scripts/without`: what it says is there. */

import { execFile, execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { ensureDirSync, readJsonSync } from 'fs-extra/esm';
import { loadSource } from '../bundle.mjs';
import { outdatedSchemas, schemaSources, write } from '../schema-files.mjs';
import { stripDocs } from './strip.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const TYPES = 'node_modules/.cache/types.tsbuildinfo';

function options() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { keep: { type: 'string' }, 'no-tests': { type: 'boolean' }, each: { type: 'boolean' } },
    });
  } catch (error) {
    return fail(`${error.message} scripts/without --help`);
  }
}
function fail(text) {
  console.error(`without: ${text}`);
  process.exit(2);
}

const { values, positionals } = options();
const names = values.each && positionals.length === 0 ? readdirSync(join(root, 'src/features')) : positionals;
if (names.length === 0) fail('name a feature: scripts/without --help');
for (const name of names) if (!existsSync(join(root, 'src/features', name))) fail(`there is no src/features/${name}`);
if (values.keep !== undefined && existsSync(values.keep)) fail(`${values.keep} exists`);
if (values.keep !== undefined && values.each) fail('--keep keeps one copy, and --each makes several');

const work = mkdtempSync(join(tmpdir(), 'docker-tls-without-'));
process.on('exit', () => rmSync(work, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(1));

let [passed, failed] = [0, 0];
/** One check that either holds or not. */
async function check(say, name, run) {
  const before = performance.now();
  const seconds = () => Math.round((performance.now() - before) / 1000);
  try {
    await run();
    passed += 1;
    say(`ok      ${name} (${seconds()} s)`);
  } catch (error) {
    failed += 1;
    const lines = (`${error.stdout ?? ''}${error.stderr ?? ''}`.trimEnd() || `${error.stack}`).trimEnd();
    say(`FAILED  ${name} (${seconds()} s)`);
    for (const line of lines.split('\n').slice(-Number(process.env.LINES_SHOWN ?? 60))) say(`        ${line}`);
  }
}

const runIn = (cwd, command, ...args) =>
  promisify(execFile)(command, args, { cwd, maxBuffer: 2 ** 30, env: process.env });

/** The repository as it is, in place of what is left in `copy` from the feature before; with the types that were checked in the repository. */
async function makeCopy(copy) {
  for (const name of readdirSync(copy)) if (name !== 'node_modules') rmSync(join(copy, name), { recursive: true });
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  const files = listed.split('\0').filter((file) => statSync(join(root, file), { throwIfNoEntry: false })?.isFile());
  execFileSync('xargs', ['-0', 'cp', '-P', '--parents', '-t', copy], { cwd: root, input: files.join('\0') });
  if (!existsSync(join(copy, 'node_modules')))
    // Linked file by file: the build knows packages by where they are.
    await runIn(root, 'cp', '-al', join(root, 'node_modules'), copy).catch(() =>
      runIn(root, 'cp', '-a', join(root, 'node_modules'), copy),
    );
  rmSync(join(copy, TYPES), { force: true });
  if (existsSync(join(root, TYPES))) cpSync(join(root, TYPES), join(copy, TYPES));
}

/** Tests that are about the feature too, on hosts or of another feature, import it and go with it. */
function deleteFeature(copy, name) {
  rmSync(join(copy, 'src/features', name), { recursive: true });
  rmSync(join(copy, 'test/features', name), { recursive: true, force: true });
  const list = join(copy, 'src/features.ts');
  const lines = readFileSync(list, 'utf8').split('\n');
  writeFileSync(list, lines.filter((line) => !line.startsWith(`import './features/${name}/`)).join('\n'));
  const imported = new RegExp(`(features|\\.\\.)/${name}/`);
  const tests = ['test/e2e', 'test/features'].flatMap((directory) =>
    readdirSync(join(copy, directory), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name)),
  );
  for (const file of tests) if (imported.test(readFileSync(file, 'utf8'))) rmSync(file);
}

/** What is made from the sources of the copy: schema/, docs/lists/ and man pages. Returns the faults of its docs. */
async function generate(copy) {
  const source = await loadSource(copy, 'scripts/docs.ts', 'scripts/reference.ts', ...schemaSources(copy));
  for (const [file, text] of outdatedSchemas(copy, source)) write(file, text);
  for (const [page, text] of await source.generatedPages()) writeFileSync(join(copy, page), text);
  const man = join(copy, 'out/man');
  ensureDirSync(man);
  const { version } = readJsonSync(join(copy, 'package.json'));
  for (const [name, text] of source.renderManPages(await source.loadReference(), version))
    writeFileSync(join(man, name), text);
  return source.docsFaults;
}

async function without(copy, say, ...features) {
  const run = (...command) => runIn(copy, ...command);
  const holds = (name, work) => check(say, name, work);
  let docsFaults;
  await holds('a copy of the repository', () => makeCopy(copy));
  for (const name of features) await holds(`the directories of ${name} are deleted`, () => deleteFeature(copy, name));
  await holds('what the docs say of it is deleted', () => stripDocs(copy, features));
  await holds('the build', () => run('node', 'scripts/build.mjs'));
  await holds('schema, docs and man pages are written anew', async () => {
    docsFaults = await generate(copy);
  });
  await holds('links and paths in the docs, error codes, tests of hosts', () => {
    const faults = docsFaults(copy);
    if (faults.length > 0) throw new Error(faults.join('\n'));
  });
  // Every checker checks again what the files of another import, and the other processor has the next copy.
  await holds('types', () => run('npx', 'tsc', '--noEmit', '--singleThreaded', '-p', '.'));
  await holds('no word of it in help, completion, man pages and docs', () =>
    run('node', join(root, 'scripts/without.d/words.mjs'), root, copy, ...features),
  );
  if (!values['no-tests'])
    await holds('the quick tests of the rest', () =>
      run(
        ...['npx', 'vitest', 'run', '--project', 'here-*', '--reporter=dot', '--silent=true'],
        ...['/unit/', '/property/', '/golden/', '/cli/'],
      ),
    );
}

/** Every feature by itself, in so many copies at once; what is found of one is printed together. */
async function withoutEach(copies) {
  const left = [...names];
  const next = async (number) => {
    const copy = join(realpathSync(work), `copy-${number}`);
    ensureDirSync(copy);
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      const lines = [`without ${name}`];
      await without(copy, (line) => lines.push(line), name);
      console.log(lines.join('\n'));
    }
  };
  await Promise.all(Array.from({ length: copies }, (_, number) => next(number)));
}

if (!existsSync(join(root, 'dist/commands.json'))) await runIn(root, 'node', join(root, 'scripts/build.mjs'));
// What a copy does not change is checked once.
if (values.each) {
  await check(console.log, 'types of the whole', () => runIn(root, 'npx', 'tsc', '--noEmit', '-p', '.'));
  // The quick tests use every processor by themselves.
  await withoutEach(values['no-tests'] ? availableParallelism() : 1);
} else {
  const copy = values.keep ?? join(work, 'copy');
  ensureDirSync(copy);
  await without(realpathSync(copy), console.log, ...names);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
