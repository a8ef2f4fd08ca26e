// Runs docker-tls and gives its wall time, and CPU time and memory as the kernel counted them for it alone (not for hosts or servers).
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes what a process has used when it ends. `laterMb`: growth of its resident memory since a tenth of its CPU time. */
const HOOK = `
import { writeFileSync } from 'node:fs';
const samples = [];
const used = () => { const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage(); return { cpuMs: (userCPUTime + systemCPUTime) / 1000, rssMb: maxRSS / 1024 }; };
setInterval(() => samples.push(used()), 200).unref();
process.on('exit', () => {
  const last = used();
  const early = samples.find(({ cpuMs }) => cpuMs > last.cpuMs / 10) ?? last;
  writeFileSync(process.env.BENCH_USAGE, JSON.stringify({ ...last, laterMb: last.rssMb - early.rssMb }));
});`;

/** `directory`: HOME, and where the figures are written. */
export function measured(bin, argv, { directory, env }) {
  const measure = join(directory, `usage-${Math.random()}`);
  const args = ['--import', `data:text/javascript,${encodeURIComponent(HOOK)}`, bin, ...argv];
  return new Promise((resolve) => {
    const began = performance.now();
    const child = spawn(process.execPath, args, {
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
