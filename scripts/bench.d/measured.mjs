// The docker-tls that a benchmark runs, and a run of it: wall time, and CPU time and memory as the kernel counted them for it alone (not for hosts
// or servers; Linux).
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nodeFor } from '../single.d/node.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { DOCKER_TLS_PROGRAM: single } = process.env;

/** The words that start it: a build in `directory`, or the single executable that DOCKER_TLS_PROGRAM names. */
export function programIn(directory) {
  return single ? [single] : builtIn(directory, root);
}

/** The same of another checkout, built by its own script; it needs its libraries (node_modules). */
export function builtIn(directory, root) {
  const bin = join(directory, 'bin/docker-tls.js');
  mkdirSync(join(directory, 'bin'), { recursive: true });
  cpSync(join(root, 'bin/docker-tls.js'), bin);
  cpSync(join(root, 'package.json'), join(directory, 'package.json'));
  execFileSync(process.execPath, [join(root, 'scripts/build.mjs'), join(directory, 'dist')]);
  return [process.execPath, bin];
}

/** The Node.js that runs it. */
export const nodeOfProgram = async () =>
  single ? (await nodeFor(`${process.platform}-${process.arch}`)).node : process.execPath;

/** What a process has used until now. The kernel counts CPU time in hundredths of a second. */
function usedBy(pid) {
  const [, text] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(/\) (?=[^)]*$)/);
  const [user, system] = text.split(' ').slice(11).map(Number);
  const rssMb = Number(/VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
  return { cpuMs: (user + system) * 10, rssMb };
}

/** `directory`: HOME. `laterMb`: growth of its resident memory since a tenth of its CPU time. */
export function measured([file, ...first], argv, { directory, env }) {
  return new Promise((resolve) => {
    const began = performance.now();
    const child = spawn(file, [...first, ...argv], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, HOME: directory, SSH_AUTH_SOCK: '', ...env },
    });
    const samples = [];
    const timer = setInterval(() => {
      try {
        samples.push(usedBy(child.pid));
      } catch {
        // It has ended.
      }
    }, 10);
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    child.on('close', (status) => {
      clearInterval(timer);
      const wallMs = performance.now() - began;
      const last = samples.at(-1);
      const early = samples.find(({ cpuMs }) => cpuMs > last.cpuMs / 10) ?? last;
      resolve({ status, said, wallMs, ...last, laterMb: last.rssMb - early.rssMb });
    });
  });
}
