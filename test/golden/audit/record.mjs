// Records the facts of lab hosts anew: node test/golden/audit/record.mjs [STATE-SUITE…], for instance bad-trixie; without names, every
// recording that is there. Each state is made on a host of its own (states.sh; "fresh" is one as it boots). Takes root, and some 15 s
// for each. Afterwards: UPDATE_GOLDEN=1 npx vitest run test/golden/audit-verdicts.test.ts, and review the difference.

import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const here = new URL('./', import.meta.url);
const lab = fileURLToPath(new URL('../../../scripts/lab', here));
const script = readFileSync(new URL('../../../src/audit/facts.sh', here));
const states = readFileSync(new URL('states.sh', here));

function run(args, input = '') {
  const { status, stdout, stderr, error } = spawnSync(lab, args, { input, maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(`scripts/lab ${args.join(' ')}: ${error ?? `exit ${status}\n${stderr}`}`);
  return stdout;
}

function record(name) {
  const [state, suite] = name.split('-');
  const host = `rec-${name}`;
  run(['up', host, '--suite', suite, '--owner-pid', String(process.pid)]);
  try {
    if (state !== 'fresh') run(['exec', host, 'sh', '-s', state], states);
    writeFileSync(new URL(`${name}.facts`, here), run(['exec', host, 'sh', '-s'], script));
    console.log(`recorded ${name}`);
  } finally {
    run(['down', host]);
  }
}

const there = readdirSync(here)
  .filter((file) => file.endsWith('.facts'))
  .map((file) => file.slice(0, -'.facts'.length));
for (const name of process.argv.length > 2 ? process.argv.slice(2) : there) record(name);
