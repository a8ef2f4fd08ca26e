/** Messages of an sshd that forwards to a TLS port, as shown to users: a name that it does not know is not a closed port. */

import { expect, test } from 'vitest';
import { translateForward } from '../../../src/core/adapters/ssh/ssh-errors.ts';

const endpoint = { hostName: 'six.example.org', port: 2376, requested: {}, alias: 'six', user: 'root' };
const refusal = (reason: number, description: string, [via]: readonly string[] = ['ssh to 192.0.2.1']) =>
  translateForward(
    Object.assign(new Error(`(SSH) Channel open failure: ${description}`), { reason }),
    { host: 'six', destination: 'six' } as never,
    endpoint as never,
    via,
  );

test.each([
  'Name or service not known',
  'Temporary failure in name resolution',
  'No address associated with hostname',
  'Name does not resolve',
])('a name that does not resolve on the host of the sshd: %s', (words) => {
  expect(refusal(2, words)).toMatchObject({
    code: 'E_ADDRESS',
    message: 'ssh to 192.0.2.1 cannot resolve six.example.org',
    hints: [expect.toSay('host-sshd-getent-hosts'), expect.toSay('clients-reach-host-another', '--address NAME')],
  });
});

test.each([
  [1, 'open failed', 'E_SSH_FORWARDING'],
  [2, 'Connection refused', 'E_SSH_UNREACHABLE'],
  [2, 'Connection timed out', 'E_SSH_UNREACHABLE'],
])('a port that is closed there, and an sshd that forbids it, stay what they are: %s %s', (reason, words, code) => {
  expect(refusal(reason, words).code).toBe(code);
});

test('behind a jump host the name is that of the sshd, which --address does not change', () => {
  const error = refusal(2, 'Name or service not known', []);
  expect([error.code, error.exit]).toEqual(['E_SSH_NAME', 4]);
  expect(error.message).toSay('jump-host-cannot-resolve');
  expect(error.hints).not.toEqual(expect.arrayContaining([expect.stringContaining('--address')]));
});
