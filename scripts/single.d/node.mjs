// Node's own program for a platform, as packaging/node.json pins it: from nodejs.org, or from npm where that does not answer. Every use of it
// checks its SHA-256. Kept in the cache directory of the user, with Node's licence.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
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

/** Into `directory`: `node` (`node.exe`), and LICENSE where the source has it. */
async function fromNodejs(platform, directory) {
  const { archive, sha256: sum } = NODE.platforms[platform];
  const data = await download(`https://nodejs.org/dist/v${NODE.version}/${archive}`);
  requireSum(archive, data, sum);
  if (archive.endsWith('.exe')) return writeFileSync(join(directory, 'node'), data, { mode: 0o755 });
  execFileSync('tar', ['-xzf', '-', '--strip-components=1', '-C', directory], { input: data });
  renameSync(join(directory, 'bin/node'), join(directory, 'node'));
}

function fromNpm(platform, directory) {
  const { npm, program } = NODE.platforms[platform];
  if (npm === undefined) throw new Error(`npm has no Node.js ${NODE.version} for ${platform}`);
  const pack = ['pack', '--silent', '--ignore-scripts', '--pack-destination', directory, `${npm}@${NODE.version}`];
  const [file] = execFileSync('npm', pack, { encoding: 'utf8', shell: process.platform === 'win32' })
    .trim()
    .split('\n');
  execFileSync('tar', ['-xzf', join(directory, file), '--strip-components=1', '-C', directory]);
  const name = platform.startsWith('win') ? 'node.exe' : 'node';
  requireSum(`${npm}@${NODE.version}`, readFileSync(join(directory, 'bin', name)), program);
  renameSync(join(directory, 'bin', name), join(directory, 'node'));
}

/** Fills the cache in one step: two builds may begin at the same time. */
function keep(directory, kept, name, sum) {
  mkdirSync(CACHE, { recursive: true });
  const draft = mkdtempSync(`${kept}.`);
  cpSync(join(directory, 'node'), join(draft, name));
  if (existsSync(join(directory, 'LICENSE'))) cpSync(join(directory, 'LICENSE'), join(draft, 'LICENSE'));
  writeFileSync(join(draft, 'SHA256'), sum);
  try {
    renameSync(draft, kept);
  } catch (error) {
    rmSync(draft, { recursive: true, force: true });
    if (!existsSync(join(kept, 'SHA256'))) throw error;
  }
}

/** The paths of Node's program and of its licence. */
export async function nodeFor(platform) {
  const { program } = NODE.platforms[platform];
  const kept = join(CACHE, platform);
  // Windows starts no program without an extension.
  const paths = { node: join(kept, platform.startsWith('win') ? 'node.exe' : 'node'), licence: join(kept, 'LICENSE') };
  const sums = join(kept, 'SHA256');
  if (!existsSync(sums)) {
    const directory = mkdtempSync(join(tmpdir(), 'docker-tls-node-'));
    try {
      await fromNodejs(platform, directory).catch((error) => {
        process.stderr.write(`single: nodejs.org: ${error.message}; trying npm\n`);
        fromNpm(platform, directory);
      });
      keep(directory, kept, basename(paths.node), program ?? sha256(readFileSync(join(directory, 'node'))));
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  }
  // macOS has no npm package: the archive's sum was right when it was fetched.
  requireSum(paths.node, readFileSync(paths.node), program ?? readFileSync(sums, 'utf8'));
  return paths;
}

// usage: node scripts/single.d/node.mjs licence|versions PLATFORM      prints Node's licence, or what it is made of (Node has to run here)
if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [what, platform] = process.argv.slice(2);
  const { node, licence } = await nodeFor(platform);
  if (what === 'licence') process.stdout.write(readFileSync(licence));
  else process.stdout.write(execFileSync(node, ['-p', 'JSON.stringify(process.versions)']));
}
