/** Differences between a host and the store, in the words of `status`. */

import { expect, test } from 'vitest';
import { factsDrift, probeDrift } from '../../../src/core/domain/plan/drift.ts';
import type { HostFacts } from '../../../src/core/domain/plan/facts.ts';
import type { ProbeOutcome } from '../../../src/core/runtime.ts';
import { DockerTlsError } from '../../../src/errors/errors.ts';
import { factsOf } from '../../support/host-facts.ts';
import { credential, sampleHost } from '../../support/store.ts';

const host = sampleHost('web', 1);
const bare = factsOf();
const { current } = bare.places;
const written = { mode: '0644', owner: '0:0', copy: '' };

/** A host that matches the store, except for `files` on it, and `left` in its generation. */
function facts(files: object = {}, left: object = {}, more: Partial<HostFacts> = {}): HostFacts {
  const own = {
    [`${current}/ca.pem`]: { kind: 'file', mode: '444', owner: '0:0', content: host.ca },
    [`${current}/server-cert.pem`]: { kind: 'file', mode: '444', owner: '0:0', content: host.serverCert },
  };
  const entries = Object.entries(left).map(([path, one]) => [path, { ...written, path, ...one }] as const);
  return {
    ...bare,
    files: new Map(Object.entries({ ...own, ...files })) as HostFacts['files'],
    state: { generation: 1 } as HostFacts['state'],
    generations: new Map([[1, new Map(entries)]]) as HostFacts['generations'],
    ...more,
  };
}

test.each<[string, HostFacts, unknown[]]>([
  ['in sync', facts(), []],
  ['never changed', bare, [expect.toSay('docker-tls-not-changed-host')]],
  [
    'of another generation',
    facts({}, {}, { state: { generation: 2 } as never }),
    [expect.stringMatching(/^generation 2 is active, .* 1$/)],
  ],
  [
    'without credentials',
    facts({ [`${current}/ca.pem`]: { kind: 'absent' } }),
    [expect.stringMatching(/^has no certificate/), expect.stringMatching(/^the trust/)],
  ],
  [
    'with another certificate',
    facts({ [`${current}/server-cert.pem`]: { kind: 'file', content: credential(3).cert } }),
    [expect.toSay('certificate-store')],
  ],
  [
    'with a socket that is dead',
    facts({ [bare.places.socket]: { kind: 'file' } }),
    [expect.stringMatching(/^docker-tls.socket does not/)],
  ],
  [
    'in a change',
    facts({}, {}, { transaction: {} as never, state: { generation: 2 } as never }),
    [expect.toSay('earlier-run-not-confirmed')],
  ],
])('a host %s', (_, seen, wanted) => {
  expect(factsDrift(seen, host, [])).toEqual(wanted);
});

const file = (content: string) => ({ kind: 'file', mode: '600', content });

test.each<[object, object, boolean]>([
  [file('a'), file('a'), false],
  [file('a'), file('b'), true],
  [{ kind: 'link', to: '/x' }, { kind: 'link', to: '/x' }, false],
  [{ kind: 'link', to: '/x' }, { kind: 'link', to: '/y' }, true],
  [{ kind: 'absent' }, { kind: 'absent' }, false],
  [{ kind: 'absent' }, file('a'), true],
  [{ kind: 'attributes' }, file('a'), false],
])('%j of the generation and %j now: edited is %s', (left, now, edited) => {
  expect(factsDrift(facts({ '/x': now }, { '/x': left }), host, [])).toEqual(
    edited ? [expect.toSay('edited-by-hand', '/x')] : [],
  );
});

test('what stands in place of a file of ours is named', () => {
  const fifo = { kind: 'other', what: 'a FIFO' };
  expect(factsDrift(facts({ '/x': fifo }, { '/x': file('a') }), host, [])).toEqual(['/x is a FIFO now']);
});

test('a file of ours that is no longer there is gone', () => {
  expect(factsDrift(facts({ '/x': { kind: 'absent' } }, { '/x': file('a') }), host, [])).toEqual(['/x is gone']);
});

test('what prevents a change is said; a lock alone, for nothing else says how the host will be', () => {
  const problem = new DockerTlsError('E_DAEMON_JSON', 'it is not JSON');
  const locked = new DockerTlsError('E_HOST_LOCKED', 'ada changes it');
  const edited = facts({ '/x': file('b') }, { '/x': file('a') });
  expect(factsDrift(edited, host, [problem])).toEqual([expect.toSay('edited-hand', '/x'), 'it is not JSON']);
  expect(factsDrift(edited, host, [problem, locked])).toEqual(['ada changes it']);
  const left = { ...edited, transaction: 'a1', lock: { who: 'ada', sinceMs: 1, expiresMs: 2 } };
  const words = 'a change by ada was not confirmed: the next one rolls it back first';
  expect(factsDrift(left, host, [])).toEqual([words]);
  expect(factsDrift(left, host, [problem])).toEqual(['it is not JSON', words]);
});

test.each<[string, Partial<ProbeOutcome>, boolean, unknown[]]>([
  ['accepts its client', { kind: 'accepted' }, true, []],
  ['accepts without a certificate', { kind: 'accepted' }, false, [expect.toSay('accepts-clients-without-certificate')]],
  ['rejects who has none', { kind: 'refused', cause: 'client-refused', reason: 'r' }, false, []],
  [
    'rejects its client',
    { kind: 'refused', cause: 'client-refused', reason: 'r' },
    true,
    [expect.stringMatching(/^client-refused: r$/)],
  ],
  [
    'fails otherwise',
    { kind: 'refused', cause: 'expired', reason: 'r' },
    false,
    [expect.stringMatching(/^expired: r$/)],
  ],
])('a host that %s', (_, outcome, asClient, wanted) => {
  const met = { chain: host.serverCert, ...outcome } as ProbeOutcome;
  expect(probeDrift(met, host.serverCert, asClient)).toEqual(wanted);
  const other = probeDrift({ ...met, chain: credential(3).cert } as ProbeOutcome, host.serverCert, asClient);
  expect(other.slice(1)).toEqual(wanted);
});
