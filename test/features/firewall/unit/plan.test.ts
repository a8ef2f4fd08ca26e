/** What the judgement of a firewall does to a plan: a certain block is an obstacle, a possible one a warning and the first hint. */

import { expect, test } from 'vitest';
import { planHost } from '../../../../src/core/domain/plan/plan-host.ts';
import { preflight } from '../../../../src/core/domain/plan/preflight.ts';
import { wayProblem } from '../../../../src/core/engine/reachability.ts';
import type { Probe } from '../../../../src/core/runtime.ts';
import { desired, FACTS_TIME_MS, factsOf } from '../../../support/host-facts.ts';

const LOGIN = { destination: 'h1', user: 'root' };
const MAYBE = { firewalld: 'public\n', addresses: '2: eth0    inet 10.0.0.7/24 scope global eth0' };

function problems(more: Readonly<Record<string, string>>, planned = true) {
  const facts = factsOf(more);
  const plan = planned ? planHost(facts, desired) : undefined;
  return preflight({ host: 'h1', login: LOGIN, facts, skewMs: 0, nowMs: FACTS_TIME_MS, port: 2376, plan });
}

test('a certain block is an obstacle, with the command that opens the port', () => {
  const [found, ...others] = problems({ iptables: '-P INPUT DROP' });
  expect(found).toMatchObject({ code: 'E_FIREWALL', exit: 4, where: 'h1' });
  expect(found?.hints).toEqual(['ssh root@h1 iptables -I INPUT -p tcp --dport 2376 -j ACCEPT']);
  expect(others).toEqual([]);
  expect(problems({ iptables: '-P INPUT DROP' }, false).map(({ code }) => code)).toEqual(['E_FIREWALL']);
  // The chain of answers is a section of its own.
  expect(problems({ iptables: '-P INPUT ACCEPT', 'iptables-output': '-P OUTPUT DROP' })).toHaveLength(1);
  expect(problems({ iptables: '-P INPUT ACCEPT', 'iptables-output': '-P OUTPUT ACCEPT' })).toEqual([]);
});

test('a possible block is a warning, from the rules of each tool', () => {
  expect(problems(MAYBE)).toEqual([]);
  const warned = (more: Readonly<Record<string, string>>) => planHost(factsOf(more), desired).warnings.join();
  expect(warned(MAYBE)).toSay('firewalld-names-port-nowhere', '2376');
  expect(warned({ ufw: '' })).toSay('ufw-names-port-nowhere', '2376');
  const chain =
    'table inet site {\n\tchain input {\n\t\ttype filter hook input priority filter; policy drop;\n\t}\n}\n';
  expect(warned({ nft: 'yes', 'nft-rules': chain })).toSay('nftables-lets-no-connection', '2376');
  expect(warned({ nft: 'yes' })).toBe('');
});

test('where the port does not answer, it is the first hint', async () => {
  const refused: Probe = async () => ({
    ...{ kind: 'refused', cause: 'timed-out', reason: '', chain: '', elapsedMs: 0, stage: 'connect' },
  });
  const at = { address: '127.0.0.1', port: 2376 };
  const error = await wayProblem(refused, 'h1', at, { facts: factsOf(MAYBE), login: LOGIN });
  expect(error).toMatchObject({
    code: 'E_PORT_FILTERED',
    exit: 4,
    details: [expect.toSay('firewalld-in-details', '2376')],
  });
  expect(error?.hints[0]).toBe('ssh root@h1 firewall-cmd --permanent --zone=public --add-port=2376/tcp');
});
