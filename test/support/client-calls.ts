/** What a person does with the hosts of a test: runs of docker-tls that must succeed, and Docker as one of the store's clients. */

import { join } from 'node:path';
import { expect } from 'vitest';
import type { ProgramRun } from './cli.ts';
import type { LabHost } from './lab.ts';
import type { Person } from './person.ts';
import { type Poller, startPoller } from './poller.ts';

/** `docker`: path of Docker's client. */
export type Around = { readonly host: LabHost; readonly person: Person; readonly docker: string };

export type ClientCalls = {
  /** docker-tls, which must succeed. */
  done(...argv: string[]): Promise<ProgramRun>;
  /** Paths of a client's files. */
  files(client: string): { readonly ca: string; readonly cert: string; readonly key: string };
  /** Arguments of Docker's client as a client of the store. */
  words(client: string, ...argv: string[]): string[];
  /** Docker's client as a client of the store. */
  as(client: string, ...argv: string[]): Promise<ProgramRun>;
  /** Connects as the client laptop, with its present files, until it is stopped. */
  poll(everyMs: number): Poller;
};

/** `around` is read at each call: a suite sets it up in `beforeAll`. */
export function clientCalls(around: () => Around): ClientCalls {
  const files: ClientCalls['files'] = (client) => {
    const named = (name: string) => join(around().person.store, 'clients', client, `${name}.pem`);
    return { ca: named('ca'), cert: named('cert'), key: named('key') };
  };
  const words: ClientCalls['words'] = (client, ...argv) => {
    const { ca, cert, key } = files(client);
    const tls = ['--tlsverify', '--tlscacert', ca, '--tlscert', cert, '--tlskey', key];
    return [...tls, '-H', `tcp://${around().host.address}:2376`, ...argv];
  };
  return {
    files,
    words,
    as: (client, ...argv) => around().person.call(around().docker, words(client, ...argv)),
    done: async (...argv) => {
      const result = await around().person.run(argv);
      expect(result, result.err).toMatchObject({ status: 0 });
      return result;
    },
    poll: (everyMs) =>
      startPoller({
        ...{ directory: join(around().person.store, 'clients/laptop'), fresh: true, everyMs },
        hosts: [{ address: around().host.address, port: 2376 }],
      }),
  };
}
