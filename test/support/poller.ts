/** Clients that repeatedly open a new TLS connection to a daemon and record every refusal. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { probe } from '../../src/core/adapters/docker/probe.ts';
import { Secret } from '../../src/core/domain/secret.ts';

export type Poller = {
  /** Number of attempts, the longest wait in milliseconds, and every refusal. */
  readonly tries: number;
  readonly longestMs: number;
  readonly refusals: readonly string[];
  /** Rereads the client's files at each attempt from now on (or keeps the present ones). */
  follow(fresh: boolean): void;
  stop(): Promise<void>;
};

export type PollerOptions = {
  /** A directory usable as DOCKER_CERT_PATH. */
  readonly directory: string;
  readonly hosts: readonly { readonly address: string; readonly port: number }[];
  readonly everyMs: number;
  /** Reread the files at each attempt, as the docker CLI does. */
  readonly fresh: boolean;
};

/**
 * Polls the hosts in turn, one new connection every `everyMs`, without waiting for the previous one; stops when the test ends at the
 * latest.
 */
export function startPoller(options: PollerOptions): Poller {
  const frozen = credentials(options.directory);
  const under = new Set<Promise<void>>();
  const refusals: string[] = [];
  let fresh = options.fresh;
  let tries = 0;
  let longestMs = 0;
  async function once(host: { address: string; port: number }): Promise<void> {
    const began = performance.now();
    const { ca, cert, key } = fresh ? credentials(options.directory) : frozen;
    const outcome = await probe({
      address: host.address,
      port: host.port,
      ca,
      credentials: { cert, key },
      timeoutMs: 30_000,
      // For /version dockerd and Podman start runc and others each time: eight times the CPU.
      path: '/_ping',
    });
    longestMs = Math.max(longestMs, performance.now() - began);
    if (outcome.kind === 'refused')
      refusals.push(
        `${options.directory} at ${host.address}: ${outcome.cause}: ${outcome.reason} after ${Math.round(performance.now() - began)} ms`,
      );
    else if (outcome.status !== 200) refusals.push(`${options.directory} at ${host.address}: status ${outcome.status}`);
  }
  const timer = setInterval(() => {
    const host = options.hosts[tries % options.hosts.length];
    tries += 1;
    if (host === undefined) return;
    const work = once(host).finally(() => under.delete(work));
    under.add(work);
  }, options.everyMs);
  const stop = async () => {
    clearInterval(timer);
    await Promise.all(under);
  };
  onTestFinished(stop);
  return {
    get tries() {
      return tries;
    },
    get longestMs() {
      return longestMs;
    },
    refusals,
    follow: (value) => {
      fresh = value;
    },
    stop,
  };
}

function credentials(directory: string): { ca: string; cert: string; key: Secret } {
  const read = (name: string): string => readFileSync(join(directory, name), 'utf8');
  // A renewal replaces the whole directory between two reads: read until both halves match.
  for (;;) {
    try {
      const first = read('cert.pem');
      const found = { ca: read('ca.pem'), cert: first, key: new Secret(read('key.pem')) };
      if (read('cert.pem') === first) return found;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}
