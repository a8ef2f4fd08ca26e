/** Questions and messages of the system's ssh during login, by the program that it starts: a security key's touch and PIN, host certificates. */

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Deadline } from '../../../../src/core/adapters/ssh/deadline.ts';
import { plainEndpoint } from '../../../../src/core/adapters/ssh/resolve-endpoint.ts';
import type { SshOptions } from '../../../../src/core/runtime.ts';
import { startAnswers } from '../../../../src/features/openssh/adapters/openssh-answers.ts';
import { optionsFor, questions } from '../../../support/ssh-login.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'answers-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const CONFIRM = 'Confirm user presence for key ED25519-SK SHA256:abc';

function program(env: Readonly<Record<string, string>>, words: string, prompt: string) {
  const child = spawn(env.SSH_ASKPASS as string, [words], { env: { ...process.env, SSH_ASKPASS_PROMPT: prompt } });
  const ended = new Promise<number | null>((resolve) => child.once('close', (status) => resolve(status)));
  return { child, ended };
}

it('says that a security key waits for a touch, and lets the time stand still until ssh ends the notice', async () => {
  const notices: unknown[] = [];
  const ask = { ...questions({}), touch: (notice: unknown) => void notices.push(notice) };
  const options = optionsFor({ port: 22 }, { ask });
  let expired = false;
  let clock: Deadline | undefined;
  // It begins with the notice, however long the program that brings that takes to start.
  const begun = () => {
    clock ??= new Deadline(2000, () => {
      expired = true;
    });
    return clock;
  };
  const answers = await startAnswers(directory, options, plainEndpoint(options), begun);
  try {
    const notice = program(answers.env, CONFIRM, 'none');
    await expect.poll(() => notices).toEqual([{ host: 'build-1', key: 'ED25519-SK SHA256:abc' }]);
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect([expired, answers.untouched(), notice.child.exitCode]).toEqual([false, true, null]);
    notice.child.kill();
    await notice.ended;
    await expect.poll(() => answers.untouched()).toBe(false);
    await expect.poll(() => expired).toBe(true);
  } finally {
    clock?.pause();
    await answers.close();
  }
});

it('where no person can be asked the time runs on, and a PIN is an error with a way out', async () => {
  const options: SshOptions = optionsFor({ port: 22 });
  let expired = false;
  const clock = new Deadline(100, () => {
    expired = true;
  });
  const answers = await startAnswers(directory, options, plainEndpoint(options), () => clock);
  try {
    const notice = program(answers.env, CONFIRM, 'none');
    await expect.poll(() => answers.untouched()).toBe(true);
    await expect.poll(() => expired).toBe(true);
    const pin = program(answers.env, 'Enter PIN for ED25519-SK key /k: ', '');
    expect(await pin.ended).toBe(1);
    expect(answers.failure()).toMatchObject({
      code: 'E_SSH_KEY_PASSPHRASE',
      message: 'ssh asks "Enter PIN for ED25519-SK key /k:", and there is no terminal to ask on',
    });
    // Closing also ends the notice: none outlives ssh.
    await answers.close();
    await notice.ended;
  } finally {
    clock.pause();
  }
});

it.each(['ed25519', 'ecdsa', 'rsa'])(
  'a certificate of a host (%s): left to ssh under a trusted authority, otherwise it counts as its key',
  async (type) => {
    const keygen = (...words: string[]) => execFileSync('ssh-keygen', ['-q', ...words]);
    const [authority, host] = [join(directory, 'authority'), join(directory, 'host')];
    keygen('-t', 'ed25519', '-N', '', '-f', authority);
    keygen('-t', type, '-N', '', '-f', host);
    keygen('-s', authority, '-h', '-I', 'host', '-n', '127.0.0.1', `${host}.pub`);
    const [plain, certificate, trusted] = [`${host}.pub`, `${host}-cert.pub`, `${authority}.pub`].map((file) =>
      readFileSync(file, 'utf8').split(' ').slice(0, 2).join(' '),
    ) as [string, string, string];
    const known = join(directory, 'known_hosts');
    async function answer(more: Partial<SshOptions>, lines: string) {
      writeFileSync(known, lines);
      const options = optionsFor({ port: 22 }, { knownHostsFile: known, ...more });
      const endpoint = { ...plainEndpoint(options), userKnownHosts: [known], globalKnownHosts: [] };
      rmSync(join(directory, 'q'), { force: true });
      const answers = await startAnswers(directory, options, endpoint, () => undefined);
      try {
        // Not by spawnSync: the answering code is in this process.
        const child = spawn(answers.program, ['host-key', 'HOSTNAME', '127.0.0.1', ...certificate.split(' ')]);
        let line = '';
        child.stdout.on('data', (chunk) => {
          line += chunk;
        });
        await new Promise((resolve) => child.once('close', resolve));
        const { failure: found, hostKey } = { failure: answers.failure(), hostKey: answers.hostKey() };
        return { line, code: (found as { code?: string } | undefined)?.code, hostKey };
      } finally {
        await answers.close();
      }
    }
    const [keyName, base64] = plain.split(' ') as [string, string];
    const underAuthority = `@cert-authority 127.0.0.* ${trusted}\n`;
    const asKey = {
      line: `127.0.0.1 ${plain}\n`,
      code: undefined,
      hostKey: { type: keyName, base64, certified: false },
    };
    expect(await answer({ hostKey: 'accept-new' }, '')).toMatchObject(asKey);
    expect(readFileSync(known, 'utf8')).toBe(`127.0.0.1 ${plain}\n`);
    expect(await answer({ hostKey: 'strict' }, '')).toMatchObject({ line: '', code: 'E_SSH_HOST_KEY_UNKNOWN' });
    expect(await answer({ hostKey: 'accept-new' }, underAuthority)).toMatchObject({
      line: '',
      code: undefined,
      hostKey: { type: keyName, base64, certified: true },
    });
    expect(readFileSync(known, 'utf8')).toBe(underAuthority);
    expect(await answer({ hostKey: plain }, underAuthority)).toMatchObject(asKey);
    expect(await answer({ hostKey: trusted }, underAuthority)).toMatchObject({ line: '', code: 'E_SSH_HOST_KEY_PIN' });
    const firstKey = { type: 'ssh-ed25519', base64: 'AAAA', fingerprint: 'SHA256:another' };
    expect(await answer({ firstKey }, underAuthority)).toMatchObject({ line: '', code: 'E_SSH_OTHER_HOST' });
  },
);
