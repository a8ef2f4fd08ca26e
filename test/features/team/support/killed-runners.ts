/**
 * Two runners that write to one shared store and are killed at the same moment, with all their processes, as when their computer fails.
 * Whatever they were doing: the store is whole, has all that they had reported, and nothing twice.
 */

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { checkTeamStore } from '../../../../src/features/team/store/restore-store.ts';
import { teamStore } from '../../../../src/features/team/store/team-store.ts';
import { sampleHost } from '../../../support/store.ts';
import { startEtcd } from './etcd.ts';
import { bundleTeamStore } from './reader-bundle.ts';
import { enrol, type Member, membersOf, newTeamAt } from './team.ts';

/** Each write counts on what it has read, and adds one host. */
const RUNNER = `
  const { openTeamSession, teamStore, sampleHost } = await import(process.argv[1]);
  const [home, url, cwd, name] = process.argv.slice(2);
  const session = openTeamSession({ home, url, cwd, env: { HOME: cwd }, who: name, now: () => new Date(), note() {} });
  const store = teamStore(session);
  console.log('begun');
  for (let turn = 0; ; turn++) {
    const host = name + '-' + turn;
    await store.withLock('docker-tls test', async () => {
      const count = (await store.read({ hosts: ['counter'] })).hosts.get('counter').record.generation;
      await store.write({ hosts: { counter: sampleHost('counter', count + 1), [host]: sampleHost(host, 1) } });
    });
    console.log('stored ' + host);
  }`;

export type Round = {
  /** Hosts that the runners reported as stored. */
  readonly reported: number;
  /** Reported, and not in the store. */
  readonly lost: number;
  /** Writes that are in the store twice, or without their host. */
  readonly twice: number;
  /** Stored, and not reported: at most one for each runner. */
  readonly unreported: number;
};

export async function killRunners(
  engine: 'git' | 'etcd',
  rounds: number,
  tell: (round: Round, number: number) => void = () => {},
): Promise<Round[]> {
  const directory = mkdtempSync(join(tmpdir(), 'store-test-killed-'));
  const etcd = engine === 'etcd' ? await startEtcd() : undefined;
  const bundle = bundleTeamStore('killed');
  const done: Round[] = [];
  try {
    const members =
      etcd === undefined ? newTeamAt(directory) : membersOf(`etcd://${etcd.endpoints}/killed?tls=off`, directory);
    const [ada, ...runners] = ['ada', 'one', 'two'].map(members.member) as [Member, Member, Member];
    await enrol(ada, ...runners);
    const store = teamStore(ada.session());
    await store.withLock('docker-tls test', () => store.write({ hosts: { counter: sampleHost('counter', 0) } }));
    const known = new Set<string>();
    for (let number = 1; number <= rounds; number++) {
      const reported = await killedRound(bundle, members.url, runners, number);
      done.push(await judged(ada, known, reported));
      tell(done.at(-1) as Round, number);
    }
    return done;
  } finally {
    await etcd?.stop();
    rmSync(bundle);
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What both said until they were killed: at any moment of their first few writes. */
async function killedRound(bundle: string, url: string, runners: readonly Member[], number: number): Promise<string[]> {
  const said = runners.map(() => '');
  const children = runners.map(({ env, home, name }, at) => {
    const cwd = env.HOME ?? '/';
    mkdirSync(dirname(home), { recursive: true });
    const args = ['--input-type=module', '-e', RUNNER, bundle, home, url, cwd, `${name}-${number}`];
    // Its own process group: its git processes end with it.
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
    child.stdout.on('data', (chunk) => {
      said[at] += chunk;
    });
    return { child, ended: new Promise((resolve) => child.on('close', resolve)) };
  });
  while (said.some((text) => !text.includes('begun'))) await new Promise((resolve) => setTimeout(resolve, 5));
  const first = Date.now();
  // Fast and slow computers: some rounds end before the first write, most after some; the first one always does.
  const until = number > 1 && Math.random() < 0.2 ? 0 : 1 + Math.floor(Math.random() * 4);
  const writes = () => said.join('').split('stored').length - 1;
  while (writes() < until && Date.now() - first < 60_000) await new Promise((resolve) => setTimeout(resolve, 2));
  await new Promise((resolve) => setTimeout(resolve, Math.random() * 200));
  const ended = children.flatMap(({ child }, at) =>
    child.exitCode === null && child.signalCode === null ? [] : [`${runners[at]?.name}: ${child.exitCode}`],
  );
  if (ended.length > 0) throw new Error(`a runner ended before it was killed: ${ended.join(', ')}`);
  for (const { child } of children) process.kill(-(child.pid as number), 'SIGKILL');
  await Promise.all(children.map(({ ended }) => ended));
  return said.flatMap((text) => [...text.matchAll(/^stored (\S+)$/gm)].map(([, host]) => host as string));
}

async function judged(reader: Member, known: Set<string>, reported: readonly string[]): Promise<Round> {
  await checkTeamStore(reader.session(), false);
  const { hosts } = await teamStore(reader.session()).read();
  const names = [...hosts.keys()].filter((name) => name !== 'counter');
  const fresh = names.filter((name) => !known.has(name));
  for (const name of names) known.add(name);
  return {
    reported: reported.length,
    lost: reported.filter((name) => !hosts.has(name)).length,
    twice: Math.abs((hosts.get('counter')?.record.generation ?? 0) - names.length),
    unreported: fresh.filter((name) => !reported.includes(name)).length,
  };
}
