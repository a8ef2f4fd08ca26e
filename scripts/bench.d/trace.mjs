// Where the time of a change goes: a waterfall of its steps, ours and the host's, as text and as an SVG; medians over several rounds of a
// setup and a rotation of one lab host, interleaved with the floor, `ssh HOST systemctl restart docker`.
//
// Usage: node scripts/bench.d/trace.mjs [--rounds 9] [--rtt MS] [--svg FILE]    root on Linux; the host is taken down at the end
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startDelay } from './delay.mjs';
import { programIn } from './measured.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const lab = join(root, 'scripts/lab');
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    rtt: { type: 'string', default: '0' },
    svg: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const host = `trace-${process.pid}`;
const directory = mkdtempSync(join(tmpdir(), 'docker-tls-trace-'));
let program;

/** Steps that run on the host, by their names in the progress (src/core/host/protocol.ts); between them is what runs here. */
const ON_HOST = new Set(
  'facts lock arm stage validate keep protect switch services restart reload stop confirm'.split(' '),
);

/** Runs a command; gives its wall time, and for each line of progress the step and the time at which it began. */
function traced(args) {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const steps = [{ name: 'start', at: 0, turns: 0 }];
    const before = delay?.turns() ?? 0;
    const turns = () => (delay?.turns() ?? 0) - before;
    const child = spawn(program[0], [...program.slice(1), ...args, '-v'], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, HOME: directory, SSH_AUTH_SOCK: '' },
    });
    const lines = [];
    createInterface({ input: child.stderr }).on('line', (line) => {
      lines.push(line);
      const step = /^bench: ([a-z-]+)$/.exec(line)?.[1];
      if (step !== undefined) steps.push({ name: step, at: performance.now() - began, turns: turns() });
      else if (/^bench: done/.test(line)) steps.push({ name: 'end', at: performance.now() - began, turns: turns() });
    });
    child.on('close', (status) => {
      const wallMs = performance.now() - began;
      if (status !== 0) reject(new Error(lines.join('\n')));
      else
        resolve({
          wallMs,
          steps: steps.map((step, index) => ({
            ...step,
            ms: (steps[index + 1]?.at ?? wallMs) - step.at,
            turns: (steps[index + 1]?.turns ?? turns()) - step.turns,
          })),
        });
    });
  });
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

/** The median of each step, in their order; steps that did not come in every round are left out. */
function middle(runs) {
  const names = runs[0].steps.map(({ name }) => name);
  const of = (index, what) => median(runs.map(({ steps }) => steps[index]?.[what] ?? 0));
  return names.map((name, index) => ({ name, ms: of(index, 'ms'), turns: of(index, 'turns') }));
}

function draw(title, wallMs, floorMs, steps) {
  const width = 50;
  const total = steps.reduce((sum, { ms }) => sum + ms, 0);
  console.log(
    `\n${title}: ${(wallMs / floorMs).toFixed(2)} times the restart (${wallMs.toFixed(0)} ms / ${floorMs.toFixed(0)} ms)`,
  );
  let at = 0;
  for (const { name, ms, turns } of steps) {
    const from = Math.round((at / total) * width);
    const trips = delay === undefined ? '' : `${turns === 0 ? '' : turns}`.padStart(3);
    const bar =
      ' '.repeat(from) + (ON_HOST.has(name) ? '#' : '=').repeat(Math.max(1, Math.round((ms / total) * width)));
    console.log(`  ${name.padEnd(10)} ${ms.toFixed(0).padStart(5)} ms${trips}  ${bar}`);
    at += ms;
  }
  if (delay === undefined) return;
  const until = steps.slice(
    0,
    Math.max(
      0,
      steps.findIndex(({ name }) => name === 'restart'),
    ),
  );
  console.log(
    `  round trips of ssh before the restart, that of TCP with them: ${1 + until.reduce((sum, { turns }) => sum + turns, 0)}`,
  );
}

/** A waterfall for each of `charts`, one below the other. */
function svg(charts) {
  const [width, left, row] = [900, 110, 18];
  let y = 0;
  const parts = charts.flatMap(({ title, wallMs, floorMs, steps }) => {
    const total = Math.max(wallMs, floorMs);
    const x = (ms) => left + (ms / total) * (width - left - 60);
    const text = (at, words, weight = 'normal') =>
      `<text x="${at}" y="${y + 13}" font-weight="${weight}">${words}</text>`;
    y += row;
    const out = [text(0, `${title}: ${(wallMs / floorMs).toFixed(2)} times the restart`, 'bold')];
    let at = 0;
    for (const { name, ms } of [{ name: 'floor', ms: floorMs }, ...steps]) {
      y += row;
      const colour = name === 'floor' ? '#999' : ON_HOST.has(name) ? '#c60' : '#26c';
      const from = name === 'floor' ? 0 : at;
      out.push(
        text(0, name),
        `<rect x="${x(from)}" y="${y + 2}" width="${x(ms) - left + 0.5}" height="13" fill="${colour}"/>`,
      );
      out.push(text(x(from + ms) + 4, `${ms.toFixed(0)} ms`));
      if (name !== 'floor') at += ms;
    }
    y += row;
    return out;
  });
  const height = y + row;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12"><rect width="${width}" height="${height}" fill="#fff"/>${parts.join('')}</svg>\n`;
}

let delay;
try {
  program = programIn(directory);
  const [{ address, keyFile, knownHosts }] = JSON.parse(
    execFileSync(lab, ['up', host, '--owner-pid', String(process.pid), '--json']).toString(),
  );
  const rtt = Number(values.rtt);
  if (rtt > 0) delay = await startDelay(address, 22, rtt / 2);
  const login = delay === undefined ? `root@${address}` : `root@127.0.0.1:${delay.port}`;
  const calm = () => execFileSync(lab, ['exec', host, 'systemctl', 'reset-failed', 'docker', 'docker.socket']);
  const floor = () => {
    const began = performance.now();
    const known = ['-o', delay === undefined ? `UserKnownHostsFile=${knownHosts}` : 'UserKnownHostsFile=/dev/null'];
    const options = [
      '-F',
      '/dev/null',
      '-i',
      keyFile,
      ...known,
      '-o',
      'StrictHostKeyChecking=no',
      '-o',
      'LogLevel=ERROR',
    ];
    execFileSync('ssh', [
      ...options,
      ...(delay ? ['-p', String(delay.port), 'root@127.0.0.1'] : [login]),
      'systemctl restart docker',
    ]);
    return performance.now() - began;
  };
  const runs = { floor: [], setup: [], rotate: [] };
  for (let round = 0; round < rounds; round += 1) {
    const store = ['--home', join(directory, `store-${round}`)];
    const common = ['-i', keyFile, '--host-key', 'accept-new', '--yes', ...store];
    calm();
    runs.floor.push(floor());
    calm();
    const first = ['setup', login, '--address', address, '--name', 'bench', '--no-ca-passphrase', '--no-context'];
    runs.setup.push(await traced([...first, ...common]));
    calm();
    runs.floor.push(floor());
    calm();
    runs.rotate.push(await traced(['rotate', 'server', 'bench', ...common]));
    calm();
    await traced(['remove', 'bench', ...common]);
  }
  const floorMs = median(runs.floor);
  const charts = [
    ['setup of a new host', runs.setup],
    ['rotate server', runs.rotate],
  ].map(([title, some]) => ({ title, floorMs, wallMs: median(some.map(({ wallMs }) => wallMs)), steps: middle(some) }));
  for (const { title, wallMs, steps } of charts) draw(title, wallMs, floorMs, steps);
  console.log('\n  # on the host, = here');
  if (values.svg !== undefined) {
    writeFileSync(values.svg, svg(charts));
    console.log(`  the same as a picture: ${values.svg}`);
  }
} finally {
  delay?.stop();
  rmSync(directory, { recursive: true, force: true });
  execFileSync(lab, ['down', host], { stdio: 'ignore' });
}
