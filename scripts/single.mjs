#!/usr/bin/env node
// Makes the single executable: Node.js of packaging/node.json, and in it the program as CommonJS modules, with the code that V8 keeps of them
// (https://nodejs.org/docs/latest-v24.x/api/single-executable-applications.html).
//
// usage: node scripts/single.mjs PLATFORM FILE [--node FILE]      PLATFORM: linux-x64, linux-arm64, darwin-arm64, darwin-x64, win-x64
// Kept code is made where Node of that platform runs: on the platform itself, and linux-arm64 under qemu-user. Without it the program only
// starts more slowly. A file for macOS is signed on macOS alone, and arm64 does not run it unsigned. --node takes another Node.js 24: for trials.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NODE, nodeFor } from './single.d/node.mjs';
import { answerHelp } from './usage.mjs';

answerHelp(process.argv);
const root = fileURLToPath(new URL('..', import.meta.url));
const [platform, file, option, given] = process.argv.slice(2);
if (NODE.platforms[platform] === undefined || file === undefined || (option ?? '--node') !== '--node')
  throw new Error('usage: node scripts/single.mjs PLATFORM FILE [--node FILE]');
const here = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
const out = resolve(file);
const work = mkdtempSync(join(tmpdir(), 'docker-tls-single-'));
/** https://github.com/nodejs/postject: the place in Node's program that says whether something was injected. */
const FUSE = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2';

/** With Debian's libraries for that processor: apt-get install qemu-user-static libstdc++6-arm64-cross. */
const QEMU = ['qemu-aarch64-static', '-L', '/usr/aarch64-linux-gnu'];

/**
 * For runs of a second: a small heap for short-lived objects, of one size from the start, and neither collecting nor optimizing in other
 * threads. With 3 MB a rotation takes 8 % less CPU time than with 2 MB, and a status of one host stays below 90 MB; with 4 MB it does not.
 * Without the memory reducer no collection begins while the program only waits for a host: it ends soon. Flags that V8 counts as another
 * version would cost a start 10 ms: Node's own modules are then compiled anew.
 */
const FLAGS = [
  '--max-semi-space-size=3',
  '--min-semi-space-size=3',
  '--no-concurrent-recompilation',
  '--single-threaded-gc',
  '--no-memory-reducer',
];

const available = (command) => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;

/** The start of a command line that runs Node of the platform on this machine. */
function runnerOf(node) {
  if (platform === here) return [node];
  // By Rosetta.
  if (platform === 'darwin-x64' && here === 'darwin-arm64') return [node];
  if (platform === 'linux-arm64' && here === 'linux-x64' && available('qemu-aarch64-static')) return [...QEMU, node];
  return undefined;
}

/** Every module as a function, one byte a character, in `modules`; gives the names. */
function buildModules(modules) {
  mkdirSync(modules);
  execFileSync(process.execPath, [join(root, 'scripts/build.mjs'), join(work, 'dist'), '--single'], {
    stdio: 'inherit',
  });
  const names = readdirSync(join(work, 'dist')).filter((name) => name.endsWith('.js'));
  for (const name of names) {
    const code = readFileSync(join(work, 'dist', name), 'latin1').replace(/^#!.*/, '');
    writeFileSync(join(modules, name), `(function (exports, require, module) {${code}\n})`, 'latin1');
  }
  return names;
}

function keepCode([command, ...words], modules) {
  const run = (...more) =>
    execFileSync(command, [...words, ...FLAGS, ...more], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  const keep = join(root, 'scripts/single.d/keep.cjs');
  const flags = run('-p', 'new vm.Script("").createCachedData().toString("hex", 12, 16)').trim();
  run('--hash-seed=1', keep, modules, flags);
  run(keep, modules);
}

/** Without what only a debugger reads. */
function strip(path) {
  const tool = platform === here ? 'strip' : 'llvm-strip';
  if (!available(tool))
    throw new Error(`${tool} is missing: apt-get install ${tool === 'strip' ? 'binutils' : 'llvm'}`);
  execFileSync(tool, ['--strip-all', '--remove-section=.comment', path]);
}

async function make() {
  const { node } = given === undefined ? await nodeFor(platform) : { node: resolve(given) };
  const { node: nodeHere } = await nodeFor(here);
  const modules = join(work, 'modules');
  const names = buildModules(modules);
  const named = (start) =>
    names.find((name) => name.startsWith(`${start}-`) && /^[\w-]{8}\.js$/.test(name.slice(start.length + 1)));
  const runner = runnerOf(node);
  if (runner === undefined)
    process.stderr.write(`single: ${platform} does not run here, so its file is without kept code\n`);
  else keepCode(runner, modules);

  const load = readFileSync(join(root, 'scripts/single.d/load.cjs'), 'utf8');
  // Node's own status for a module that stops before its end; the program replaces it.
  const own = readFileSync(join(root, 'scripts/single.d/own.cjs'), 'utf8');
  writeFileSync(
    join(work, 'main.js'),
    `${own}process.exitCode = 13;\n${load}load('${named('start')}', ${runner !== undefined});\n`,
  );
  const stored = Object.fromEntries(
    readdirSync(modules)
      .sort()
      .map((name) => [name, join(modules, name)]),
  );
  // Node keeps the name of main.
  const config = {
    main: 'main.js',
    output: 'blob',
    disableExperimentalSEAWarning: true,
    execArgv: FLAGS,
    // NODE_OPTIONS is not ours.
    execArgvExtension: 'none',
    assets: { ...stored, 'commands.json': join(work, 'dist/commands.json') },
  };
  writeFileSync(join(work, 'config.json'), JSON.stringify(config));
  execFileSync(nodeHere, ['--experimental-sea-config', 'config.json'], { cwd: work, stdio: 'pipe' });

  const made = join(work, platform.startsWith('win') ? 'program.exe' : 'program');
  copyFileSync(node, made);
  chmodSync(made, 0o755);
  if (platform.startsWith('linux')) strip(made);
  if (here.startsWith('darwin')) execFileSync('codesign', ['--remove-signature', made]);
  const segment = platform.startsWith('darwin') ? ['--macho-segment-name', 'NODE_SEA'] : [];
  const inject = [made, 'NODE_SEA_BLOB', join(work, 'blob'), '--sentinel-fuse', FUSE, ...segment];
  execFileSync(process.execPath, [join(root, 'node_modules/postject/dist/cli.js'), ...inject], { stdio: 'pipe' });
  if (here.startsWith('darwin')) execFileSync('codesign', ['--sign', process.env.CODESIGN_IDENTITY ?? '-', made]);
  if (runner !== undefined) {
    const [command, ...words] = [...runner.slice(0, -1), made, '--version'];
    execFileSync(command, words, { stdio: ['ignore', 'ignore', 'inherit'] });
  }
  copyFileSync(made, out);
  const { length } = readFileSync(out);
  const sum = createHash('sha256').update(readFileSync(out)).digest('hex');
  process.stdout.write(`${out}: ${(length / 1e6).toFixed(0)} MB, sha256 ${sum}\n`);
}

try {
  await make();
} finally {
  rmSync(work, { recursive: true, force: true });
}
