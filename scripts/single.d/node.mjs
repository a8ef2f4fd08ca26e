// Node's own program for a platform, as packaging/node.json pins it: from nodejs.org, or from npm where that does not answer. Every use of it
// checks its SHA-256. Kept in the cache directory of the user, with Node's licence.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const NODE = JSON.parse(readFileSync(new URL('../../packaging/node.json', import.meta.url), 'utf8'));
const CACHE = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'docker-tls/node', NODE.version);

const sha256 = (data) => createHash('sha256').update(data).digest('hex');

function requireSum(what, data, expected) {
  const found = sha256(data);
  if (found !== expected) throw new Error(`${what} has the SHA-256 ${found}, packaging/node.json has ${expected}`);
}

async function download(url) {
  const response = await fetch(url, { signal: AbortSignal.timeout(300_000) });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

const nameOf = (platform) => (platform.startsWith('win') ? 'node.exe' : 'node');

/** Into `directory`: the program, and LICENSE where the archive has it. Windows' archive is the program. */
function unpack(platform, data, directory) {
  const { archive, sha256: sum } = NODE.platforms[platform];
  requireSum(archive, data, sum);
  if (archive.endsWith('.exe')) return writeFileSync(join(directory, 'node.exe'), data, { mode: 0o755 });
  execFileSync('tar', ['-xzf', '-', '--strip-components=1', '-C', directory], { input: data });
  renameSync(join(directory, 'bin/node'), join(directory, 'node'));
}

async function fromNodejs(platform, directory) {
  const data = await download(`https://nodejs.org/dist/v${NODE.version}/${NODE.platforms[platform].archive}`);
  unpack(platform, data, directory);
  writeFileSync(join(directory, 'archive'), data);
}

function fromNpm(platform, directory) {
  const { npm, program } = NODE.platforms[platform];
  if (npm === undefined) throw new Error(`npm has no Node.js ${NODE.version} for ${platform}`);
  const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', directory, `${npm}@${NODE.version}`];
  const [file] = execFileSync('npm', pack, { encoding: 'utf8', shell: process.platform === 'win32' })
    .trim()
    .split('\n');
  execFileSync('tar', ['-xzf', join(directory, file), '--strip-components=1', '-C', directory]);
  const name = nameOf(platform);
  requireSum(`${npm}@${NODE.version}`, readFileSync(join(directory, 'bin', name)), program);
  renameSync(join(directory, 'bin', name), join(directory, name));
}

/** Fills the cache in one step: two builds may begin at the same time. */
function keep(directory, kept, names) {
  mkdirSync(CACHE, { recursive: true });
  const draft = mkdtempSync(`${kept}.`);
  for (const name of readdirSync(directory).filter((name) => names.includes(name)))
    cpSync(join(directory, name), join(draft, name));
  try {
    renameSync(draft, kept);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(kept)) throw error;
  }
}

async function inDirectory(act) {
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-node-'));
  try {
    await act(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The paths of Node's program and of its licence. */
export async function nodeFor(platform) {
  const { program } = NODE.platforms[platform];
  const kept = join(CACHE, platform);
  const name = nameOf(platform);
  const archive = join(kept, 'archive');
  if (!existsSync(kept))
    await inDirectory(async (directory) => {
      await fromNodejs(platform, directory).catch((error) => {
        process.stderr.write(`single: nodejs.org: ${error.message}; trying npm\n`);
        fromNpm(platform, directory);
      });
      keep(directory, kept, [name, 'LICENSE', ...(program === undefined ? ['archive'] : [])]);
    });
  const paths = { node: join(kept, name), licence: join(kept, 'LICENSE') };
  let sum = program;
  // npm has no package for macOS, so only its archive has a pinned sum.
  if (program === undefined)
    await inDirectory((directory) => {
      unpack(platform, readFileSync(archive), directory);
      sum = sha256(readFileSync(join(directory, name)));
    });
  requireSum(paths.node, readFileSync(paths.node), sum);
  return paths;
}

// usage: node scripts/single.d/node.mjs licence|versions PLATFORM      prints Node's licence, or what it is made of (Node has to run here)
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [what, platform] = process.argv.slice(2);
  const { node, licence } = await nodeFor(platform);
  if (what === 'licence') process.stdout.write(readFileSync(licence));
  else process.stdout.write(execFileSync(node, ['-p', 'JSON.stringify(process.versions)']));
}
