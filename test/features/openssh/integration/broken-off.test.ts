/**
 * Ctrl-C at a question of one host of several, in a real terminal and over real SSH: the whole run exits with 130, without another
 * question.
 */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram, type Program } from '../../../support/cli.ts';
import { transports, withServer } from '../../../support/ssh-login.ts';
import { makeKey, type SshServerOptions } from '../../../support/ssh-server.ts';
import { KEYS, openTerminal } from '../../../support/terminal.ts';

const home = mkdtempSync(join(tmpdir(), 'docker-tls-broken-off-'));
const locked = makeKey('ed25519', 'secret');
const keyFile = join(home, 'locked');
const config = join(home, '.ssh/config');
let program: Program;

beforeAll(() => {
  program = buildProgram();
  mkdirSync(join(home, '.ssh'), { mode: 0o700 });
  writeFileSync(keyFile, locked.privateKey, { mode: 0o600 });
});
afterAll(() => {
  program?.remove();
  rmSync(home, { recursive: true, force: true });
});

const openProgram = (argv: readonly string[]) =>
  openTerminal(process.execPath, [program.bin, ...argv], {
    cwd: home,
    env: { HOME: home, PATH: process.env.PATH ?? '/usr/bin:/bin', NO_COLOR: '1' },
  });

const EVERY = `Host *
  HostName 127.0.0.1
  User ada
  IdentityAgent none
  IdentityFile none
  UserKnownHostsFile /dev/null
  GlobalKnownHostsFile /dev/null
`;
const ACCEPT = ['--host-key', 'accept-new'];
const PASSWORD: SshServerOptions = { password: 'x' };
const LOCKED: SshServerOptions = { authorizedKeys: [locked.publicKey] };
const KEY_QUESTION = /Is that its key\?/;
const INTERACTIVE: SshServerOptions = { interactive: [{ prompt: 'Code: ', echo: true, answer: 'x' }] };

const QUESTIONS: readonly (readonly [string, SshServerOptions, readonly string[], RegExp])[] = [
  ['a password', PASSWORD, ACCEPT, /password of ada|'s password:/],
  ['a code', INTERACTIVE, ACCEPT, /Code:/],
  ['a host key', PASSWORD, [], KEY_QUESTION],
  ['a passphrase', LOCKED, [...ACCEPT, '-i', keyFile], /Passphrase of/],
];

test.each(QUESTIONS.flatMap((one) => transports.map((transport) => [...one, transport] as const)))(
  '%s: several hosts, of which one does not answer',
  async (_, server, options, question, transport) => {
    await withServer(server, (one) =>
      withServer({ ...server, hostKeys: [makeKey().privateKey] }, (other) =>
        withServer({ misbehave: 'mute' }, async (mute) => {
          const names = ['one', 'other', 'mute'];
          const places = [one, other, mute].map(({ port }, at) => `Host ${names[at]}\n  Port ${port}\n`);
          writeFileSync(config, `${places.join('')}${EVERY}`);
          const words = ['plan', ...names, '--ssh-config', config, '--transport', transport, ...options];
          const terminal = openProgram([...words, '--parallel', '3']);
          await terminal.see(question);
          terminal.type(KEYS.ctrlC);
          expect(await terminal.ended, terminal.screen()).toBe(130);
          expect(terminal.screen().match(new RegExp(question, 'g'))).toHaveLength(1);
          expect(terminal.screen()).not.toMatch(/E_SSH|E_BUG/);
        }),
      ),
    );
  },
);
