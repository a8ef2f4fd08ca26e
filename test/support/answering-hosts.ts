/**
 * Fake hosts of a store for tests: they answer like the host scripts but change nothing. They have two generations, our credentials, and
 * configurable outcomes.
 */

import { openStore } from '../../src/core/adapters/store/store.ts';
import type { HostSession, SshOptions } from '../../src/core/runtime.ts';
import { GOOD_FACTS } from './host-facts.ts';
import { printFacts } from './sections.ts';

const STATE = '/var/lib/docker-tls';
const CREDENTIALS = [
  ['ca.pem', 'ca'],
  ['server-cert.pem', 'serverCert'],
] as const;

export type AnsweringHosts = {
  readonly home: string;
  readonly now: Date;
  /** By phase, the outcome that the host reports: always the same, or one after the other. Without it, a change succeeds. */
  readonly answers?: Readonly<Record<string, string | readonly string[]>>;
  /** By phase, the output of a script that only reads. */
  readonly outputs?: Readonly<Record<string, Buffer>>;
  /** Sections of facts that override those of a host in sync with the store. */
  readonly facts?: Readonly<Record<string, string>>;
  /** The origin of the active generation. */
  readonly reason?: string;
  /** The stored name of the dialled host, if different. */
  readonly nameOf?: (dialled: string) => string;
  /** Called with the phase of every script that changes something. */
  readonly onChange?: (phase: string) => unknown;
  /** The login user; default root. */
  readonly user?: string;
};

/** The host key of all of them. */
export const ANSWERING_KEY = { type: 'ssh-ed25519', base64: 'A'.repeat(68), fingerprint: `SHA256:${'a'.repeat(43)}` };

/** Opens sessions to such hosts. */
export function answeringHosts(hosts: AnsweringHosts): (options: Pick<SshOptions, 'host'>) => Promise<HostSession> {
  const { answers = {}, nameOf = (name) => name, onChange, user = 'root' } = hosts;
  const outcomes: Readonly<Record<string, string | readonly string[]>> = {
    apply: 'switched',
    commit: 'committed',
    undo: 'undone -',
    ...answers,
  };
  const times = new Map<string, number>();
  const outcomeOf = (phase: string): string | undefined => {
    const turn = times.get(phase) ?? 0;
    times.set(phase, turn + 1);
    return [outcomes[phase] ?? []].flat().at(turn) ?? [outcomes[phase] ?? []].flat().at(-1);
  };
  return async ({ host }) =>
    ({
      hostKey: ANSWERING_KEY,
      host,
      login: { destination: host },
      user,
      dialled: '127.0.0.1',
      run: async ({ phase }: { phase: string }) => {
        if (phase === 'facts') return { status: 0, stdout: await factsOf(nameOf(host), hosts), stderr: '' };
        const output = hosts.outputs?.[phase];
        if (output !== undefined) return { status: 0, stdout: output, stderr: '' };
        await onChange?.(phase);
        return { status: 0, stdout: Buffer.from(`@result ${outcomeOf(phase)}\n`), stderr: '' };
      },
      close: async () => {},
      [Symbol.asyncDispose]: async () => {},
    }) as unknown as HostSession;
}

async function factsOf(host: string, { home, now, facts = {}, reason = 'test' }: AnsweringHosts): Promise<Buffer> {
  const stored = (await openStore(home).read()).hosts.get(host);
  const clock = `${Math.floor(now.getTime() / 1000)}`;
  if (stored === undefined) return printFacts({ ...GOOD_FACTS, clock, ...facts });
  const link = { kind: 'link', path: '/etc/docker/tls/current' };
  const files = [1, 2, 'current'].flatMap((generation) =>
    CREDENTIALS.map(([file, what]) => [`file:/etc/docker/tls/${generation}/${file}`, `file 444 0:0\n${stored[what]}`]),
  );
  const generations = [1, 2].flatMap((number) => [
    [`file:${STATE}/generations/${number}/manifest`, `file 600 0:0\n1\tlink\t777\t0:0\t${link.path}\n`],
    [`file:${STATE}/generations/${number}/1`, `link 777 0:0\n${number}`],
  ]);
  const written = [1, 2].map((number) => ({ number, at: now.toISOString(), by: 'me', reason }));
  const state = { schema: 1, name: host, generation: 2, generations: written, managed: [link] };
  return printFacts({
    ...GOOD_FACTS,
    clock,
    ...Object.fromEntries([...files, ...generations]),
    [`file:${link.path}`]: 'link 777 0:0\n2',
    [`file:${STATE}/state.json`]: `file 600 0:0\n${JSON.stringify(state)}`,
    [`file:${STATE}/origin/manifest`]: `file 600 0:0\n1\tabsent\t-\t-\t${link.path}\n`,
    ...facts,
  });
}
