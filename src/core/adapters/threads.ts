/**
 * Distribution of a fleet over the processors. Above a number of connections, ssh and TLS run in threads, while this thread plans, asks,
 * prints and keeps the store. A thread's sessions and probes work like any others. All connections of one host stay in one thread, so that
 * the user answers once for it.
 */

import { availableParallelism } from 'node:os';
import { DockerTlsError } from '../../errors/errors.ts';
import { keepHeapSmall } from '../heap.ts';
import { threadCode } from '../program.ts';
import type { Connect, Probe, SshOptions } from '../runtime.ts';
import type { Thread } from './thread-client.ts';

/** Below this many connections, starting a thread takes longer than it saves. */
const FLEET = 100;
/**
 * Threads in addition to this one. Per host, this one has half as much work as they have; it plans no faster than two of them log in. Each
 * takes some 25 MB.
 */
const MOST_THREADS = 3;
/** With a single extra thread, this thread takes every fourth host itself, so that both are busy. */
const OWN_TURN = 4;

const CHECK_EVERY = 20;

type Effects = { readonly connect: Connect; readonly probe: Probe };

/** For tests. */
export type Spreading = { readonly processors: number; readonly fleet: number; readonly code: URL | string };

/** The same effects, in threads above a number of connections. */
export function spread(here: Effects, options: Partial<Spreading> = {}): Effects {
  const { processors = availableParallelism(), fleet = FLEET } = options;
  // Only a fleet looks for it.
  let code = options.code;
  const most = Math.min(processors - 1, MOST_THREADS);
  const threads: Thread[] = [];
  const places = new Map<string, Thread | 'here'>();
  let connections = 0;
  let turns = 0;

  async function pick(): Promise<Thread | 'here'> {
    if (connections < fleet || most < 1) return 'here';
    code ??= threadCode();
    if (code === undefined) return 'here';
    const client = await import('./thread-client.ts');
    if (threads.length < most) {
      const thread = new client.Thread(code, () => threads.splice(threads.indexOf(thread), 1));
      threads.push(thread);
      return thread;
    }
    turns += 1;
    if (threads.length === 1 && turns % OWN_TURN === 0) return 'here';
    return threads.reduce((least, one) => (one.load < least.load ? one : least));
  }

  async function placeOf(options: SshOptions): Promise<Thread | 'here'> {
    const { destination, transport, tunnels } = options;
    if (destination === 'local' || transport === 'openssh' || tunnels) return 'here';
    const known = places.get(options.host);
    if (known !== undefined && (known === 'here' || !known.ended)) return known;
    const place = await pick();
    places.set(options.host, place);
    return place;
  }

  return {
    async connect(options) {
      connections += 1;
      if (connections % CHECK_EVERY === 0) keepHeapSmall();
      const place = await placeOf(options);
      if (place === 'here') return here.connect(options);
      try {
        return await place.connect({ ...options, transport: 'ssh2' });
      } catch (error) {
        const beyond = error instanceof DockerTlsError && error.code === 'E_SSH_TRANSPORT';
        // Nothing has been done yet, so a thread that died in between costs no host.
        if (!place.ended && (!beyond || options.transport === 'ssh2')) throw error;
        places.set(options.host, 'here');
        return here.connect(options);
      }
    },
    async probe(request) {
      const place = request.dial === undefined ? await pick() : 'here';
      if (place === 'here') return here.probe(request);
      return place.probe(request).catch((error: unknown) => {
        if (!place.ended) throw error;
        return here.probe(request);
      });
    },
  };
}
