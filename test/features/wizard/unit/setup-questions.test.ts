/** Questions of setup as data: defaults, and reasons to refuse an answer. */

import { expect, test } from 'vitest';
import type { OtherClients } from '../../../../src/core/domain/plan/other-clients.ts';
import { DockerTlsError } from '../../../../src/errors/errors.ts';
import * as questions from '../../../../src/features/wizard/domain/questions.ts';

const hosts = new Map([['taken', {}]]) as never;

test('an answer that cannot be is refused in words; where an answer is a value it can be read', () => {
  const sans = questions.settingQuestion('sans', 'Already: a.');
  expect([sans.validate('a.example, 10.0.0.1'), sans.validate('-')]).toEqual([true, expect.any(String)]);
  expect(sans.read(' a.example,b.example ').map(({ value }) => value)).toEqual(['a.example', 'b.example']);
  expect(sans).toMatchObject({ flag: '--san', explain: expect.stringMatching(/\? Already: a\.$/) });
  expect(questions.settingQuestion('address').validate('a b')).toEqual(expect.any(String));
  expect(questions.nameQuestion('a', { hosts }).validate('taken')).toSay('host-name');
  expect(questions.hostQuestion().validate('root@')).toEqual(expect.any(String));
  const problem = new DockerTlsError('E_SSH_NAME', 'no such host', { hints: ['try another'] });
  expect(questions.hostQuestion(problem).explain).toBe('no such host\ntry another');
});

test('clients of another CA can stay only where there are some that would lose the host', () => {
  const values = (losing: unknown[]) =>
    questions
      .otherClientsQuestion('h', { losing, unread: [] } as unknown as OtherClients)
      .choices.map(({ value }) => value);
  expect(values([])).toEqual(['reject', 'end']);
  expect(values([{ subject: 'CN=a', fingerprint: 'AA' }])).toEqual(['accept', 'reject', 'end']);
});
