// Runs docker-tls and gives its wall time, and CPU time and memory as the kernel counted them for it alone (not for hosts or servers).
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Writes what a process has used when it ends; of its main thread in ticks of 10 ms, as proc(5) has them. `laterMb`: by how much its resident
 * memory has grown since a tenth of its CPU time: what follows the number of hosts.
 */
const HOOK = `
import { readFileSync, writeFileSync } from 'node:fs';
const samples = [];
const used = () => { const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage(); return { cpuMs: (userCPUTime + systemCPUTime) / 1000, rssMb: maxRSS / 1024 }; };
setInterval(() => samples.push(used()), 200).unref();
process.on('exit', () => {
  const last = used();
  const main = readFileSync('/proc/self/task/' + process.pid + '/stat', 'utf8').replace(/.*[)] /, '').split(' ');
  const early = samples.find(({ cpuMs }) => cpuMs > last.cpuMs / 10) ?? last;
  writeFileSync(process.env.BENCH_USAGE, JSON.stringify({ ...last, mainMs: (Number(main[11]) + Number(main[12])) * 10, laterMb: last.rssMb - early.rssMb }));
});`;

/** `processors: 1`: on the first one alone. `directory`: HOME, and where the figures are written. */
export function measured(bin, argv, { directory, processors, env }) {
  const measure = join(directory, `usage-${Math.random()}`);
  const args = ['--import', `data:text/javascript,${encodeURIComponent(HOOK)}`, bin, ...argv];
  const [command, ...first] = processors === 1 ? ['taskset', '-c', '0', process.execPath] : [process.execPath];
  return new Promise((resolve) => {
    const began = performance.now();
    const child = spawn(command, [...first, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, HOME: directory, SSH_AUTH_SOCK: '', BENCH_USAGE: measure, ...env },
    });
    let said = '';
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    child.on('close', (status) => {
      const wallMs = performance.now() - began;
      resolve({ status, said, wallMs, ...JSON.parse(readFileSync(measure, 'utf8')) });
    });
  });
}
