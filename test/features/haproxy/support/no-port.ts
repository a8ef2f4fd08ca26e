/** A host without a port in the network. */

import type { HostRecord } from '../../../../src/core/adapters/store/records.ts';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import type { Probe, ProbeOutcome } from '../../../../src/core/runtime.ts';
import { type DocumentPlace, documentPlace } from '../../../support/golden-documents.ts';
import { printSections } from '../../../support/sections.ts';
import { listenerFacts } from './listener-facts.ts';

const REFUSED = '{"message":"docker-tls: socket ci has the role read, refused"}';

export const outputs = {
  'listener facts': listenerFacts(),
  'listener state': listenerFacts(),
  sockets: printSections('listener', [
    { name: 'api 200 /_ping', content: Buffer.from('OK') },
    { name: 'api 403 /configs/docker-tls', content: Buffer.from(REFUSED) },
    { name: 'ci', content: Buffer.from('') },
    { name: 'done', content: Buffer.from('') },
  ]),
};

/** Facts of its socket. */
const LISTENS = {
  'program-sockets': 'Id=docker-tls-role@ci.socket\nLoadState=loaded\nActiveState=active',
  'program-paths': 'ci socket',
};

/** A store with the host h1, which has no port in the network, and a socket for containers. */
export async function noPortPlace(host: Partial<HostRecord> = {}): Promise<DocumentPlace> {
  const place = await documentPlace();
  const store = openStore(place.home);
  const h1 = (await store.read()).hosts.get('h1');
  if (h1 === undefined) throw new Error('not in the store');
  const record: HostRecord = { ...h1.record, listener: 'haproxy', sockets: ['ci read'], listen: ['none'], ...host };
  await store.withLock('test', () => store.write({ hosts: { h1: { ...h1, record } } }));
  return {
    ...place,
    run: (argv, setting, hosts = {}) => place.run(argv, setting, { ...hosts, facts: { ...LISTENS, ...hosts.facts } }),
  };
}

/** Nothing listens, but on `port`. */
export function closedBut(port = 0, there: Partial<ProbeOutcome> = {}): Probe {
  return async (request) =>
    ({
      ...{ kind: 'refused', cause: 'connection-refused', reason: 'nothing listens', chain: '', elapsedMs: 1 },
      ...(request.port === port ? there : {}),
    }) as ProbeOutcome;
}

export const PLAIN = { kind: 'accepted', status: 200, body: '', protocol: '', chain: '' } as const;
export const LISTENING = 'file:/usr/lib/systemd/system/docker.service';
