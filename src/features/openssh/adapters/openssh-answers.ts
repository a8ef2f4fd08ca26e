/**
 * Answers to the system's ssh while it connects: host keys (KnownHostsCommand) and passwords (SSH_ASKPASS). For each question ssh starts a
 * small program. The program sends it over a socket in a directory that only this user can enter, and prints the answer to the pipe that
 * ssh reads. No secret is in arguments, environment or files.
 */

import { writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Deadline } from '../../../core/adapters/ssh/deadline.ts';
import { hostKeyNames, knownLines, requireFirstKey, settleHostKey } from '../../../core/adapters/ssh/host-key.ts';
import { authorityFor, hostKeyOf, keyType, pinOf, plainKey } from '../../../core/adapters/ssh/known-hosts.ts';
import { inTurn } from '../../../core/adapters/ssh/questions.ts';
import { jumpOptions } from '../../../core/adapters/ssh/resolve-endpoint.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import type { Secret } from '../../../core/domain/secret.ts';
import type { HostKey, SshOptions } from '../../../core/runtime.ts';
import { DockerTlsError, printable } from '../../../errors/errors.ts';
import { answerCommand } from './askpass-answer.ts';
import { askKnownHostsCommand } from './known-hosts-command.ts';
import type { ConfiguredEndpoint } from './ssh-config.ts';

export type AskpassAnswers = {
  /** The program for ssh to start. */
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  /** The key that the destination showed last. */
  hostKey(): HostKey | undefined;
  /** The first failure on our side, more precise than ssh's "verification failed". */
  failure(): unknown;
  /** A security key is waiting for a touch. */
  untouched(): boolean;
  close(): Promise<void>;
};

/** A question from the program: its arguments, and the answer that ssh expects (`none`: a notice, which ssh ends with a signal). */
type Question = { readonly words: readonly string[]; readonly prompt: string };

/** Listens for ssh's questions in `directory` (mode 0700) and installs the program there. */
export async function startAnswers(
  directory: string,
  options: SshOptions,
  endpoint: ConfiguredEndpoint,
  clock: () => Deadline | undefined,
): Promise<AskpassAnswers> {
  const program = join(directory, 'answer');
  const words = await answerCommand(directory);
  const starter = `#!/bin/sh\nexec ${words.map(shellQuote).join(' ')} "$@"\n`;
  await writeFile(program, starter, { mode: 0o700 });
  let failure: unknown;
  let hostKey: HostKey | undefined;
  const seen = (key: HostKey): void => {
    hostKey = key;
  };
  const given = new Map<string, Secret>();
  const untouched = new Set<Socket>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('utf8');
      if (text.length > 100_000) socket.destroy();
      // The question is one line. The program keeps running; when ssh ends it, the socket closes.
      if (!text.endsWith('\n')) return;
      // Without a terminal no user sees the notice or touches the key, so the clock keeps running.
      const key = noticeOfTouch(text);
      const thinking = key !== undefined && options.ask === undefined ? undefined : clock();
      thinking?.pause();
      if (key !== undefined) {
        untouched.add(socket);
        socket.on('close', () => {
          untouched.delete(socket);
          // Not after connecting has ended: its clock must not start again.
          if (clock() === thinking) thinking?.resume();
        });
        options.ask?.touch?.({ host: options.host, key });
        return;
      }
      answer(options, endpoint, given, text, seen)
        .then((reply) => socket.end(JSON.stringify({ ok: true, text: reply })))
        .catch((error: unknown) => {
          failure ??= error;
          socket.end(JSON.stringify({ ok: false }));
        })
        .finally(() => thinking?.resume());
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(join(directory, 'q'), resolve);
  });
  return {
    program,
    env: { SSH_ASKPASS: program, SSH_ASKPASS_REQUIRE: 'force' },
    hostKey: () => hostKey,
    failure: () => failure,
    untouched: () => untouched.size > 0,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

async function answer(
  options: SshOptions,
  endpoint: ConfiguredEndpoint,
  given: Map<string, Secret>,
  text: string,
  seen: (key: HostKey) => void,
): Promise<string> {
  const { words } = JSON.parse(text) as Question;
  if (words[0] === 'host-key') return await answerHostKey(options, endpoint, words.slice(1), seen);
  return `${(await answerPrompt(options, given, words.join(' '))).revealText()}\n`;
}

/** The key of "Confirm user presence for key TYPE FINGERPRINT"; undefined for questions that need an answer. */
function noticeOfTouch(text: string): string | undefined {
  const { words, prompt } = JSON.parse(text) as Question;
  return prompt === 'none' ? printable(words.join(' ').replace(/^.* for key /, ''), 120) : undefined;
}

/**
 * KnownHostsCommand, with the tokens %I %H %t %K of ssh_config(5): prints the line of an accepted key. Before the host has shown a key, it
 * prints the keys known from this run or from the user's own command. ssh then asks for a key of that type.
 */
async function answerHostKey(
  options: SshOptions,
  endpoint: ConfiguredEndpoint,
  words: readonly string[],
  seen: (key: HostKey) => void,
): Promise<string> {
  const [invocation, name, type, base64] = words;
  if (name === undefined || type === undefined || base64 === undefined) return '';
  const last = name.toLowerCase() === hostKeyNames(endpoint).name;
  if (invocation === 'ORDER') {
    const { type: first, base64: key } = (last ? (options.firstKey ?? pinOf(options.hostKey)) : undefined) ?? {};
    if (first !== undefined) return `${name} ${first} ${key}\n`;
    const known = (await askKnownHostsCommand(endpoint, name)).filter((line) => line.marker === undefined);
    return known.map((line) => `${line.names} ${line.type} ${line.key.toString('base64')}\n`).join('');
  }
  if (invocation !== 'HOSTNAME') return '';
  const blob = Buffer.from(base64, 'base64');
  const hop = last ? { options, endpoint } : jumpHop(options, endpoint, name);
  requireFirstKey(hop.options, blob);
  const authorities = type.includes('-cert-') ? await authoritiesFor(hop.options, hop.endpoint, name, blob) : undefined;
  if (last) seen({ ...hostKeyOf(blob), certified: authorities !== undefined });
  if (authorities !== undefined) return authorities;
  // A certificate without a trusted authority counts as its plain key, and ssh does not ask again.
  const key = plainKey(blob);
  const printed = await askKnownHostsCommand(hop.endpoint, hostKeyNames(hop.endpoint).name, key);
  await settleHostKey(hop.options, hop.endpoint, key, printed);
  return `${name} ${keyType(key)} ${key.toString('base64')}\n`;
}

/**
 * The lines of the user's own command that ssh needs to check a certificate whose authority is trusted for the name. Undefined: no
 * authority is trusted, or a key is pinned.
 */
async function authoritiesFor(
  options: SshOptions,
  endpoint: ConfiguredEndpoint,
  name: string,
  certificate: Buffer,
): Promise<string | undefined> {
  if (pinOf(options.hostKey) !== undefined) return undefined;
  const printed = await askKnownHostsCommand(endpoint, name, certificate);
  if (authorityFor([...(await knownLines(endpoint)), ...printed], [name]) === undefined) return undefined;
  const marked = printed.filter(({ marker }) => marker !== undefined);
  return marked
    .map(({ marker, names, type, key }) => `@${marker} ${names} ${type} ${key.toString('base64')}\n`)
    .join('');
}

/** A jump host by its name in known_hosts, with the destination's files. */
function jumpHop(
  options: SshOptions,
  endpoint: ConfiguredEndpoint,
  name: string,
): { options: SshOptions; endpoint: ConfiguredEndpoint } {
  const [, bracketed, port] = /^\[(.+)\]:(\d+)$/.exec(name) ?? [];
  const hostName = bracketed ?? name;
  return {
    options: { ...jumpOptions(options, 'jump'), host: `${options.host} (jump ${hostName})` },
    endpoint: { ...endpoint, hostName, port: Number(port ?? 22), hostKeyAlias: undefined },
  };
}

/** Passphrases by key file, and passwords by prompt (which names user and host): each ssh asks, but the user answers once. */
const lastAnswers = new Map<string, Secret>();

/** `given`: answers already given to this ssh, by key file. If it asks again, the answer was wrong. */
async function answerPrompt(options: SshOptions, given: Map<string, Secret>, prompt: string): Promise<Secret> {
  const { ask, host } = options;
  // In BatchMode ssh asks only for the PIN of a security key.
  if (ask === undefined) {
    throw new DockerTlsError(
      'E_SSH_KEY_PASSPHRASE',
      `ssh asks "${printable(prompt.trim(), 200)}", and there is no terminal to ask on`,
      { where: host, hints: ['run it in a terminal, without --yes', '-i KEYFILE'] },
    );
  }
  const file = /^Enter passphrase for (?:key )?'?(.+?)'?: ?$/.exec(prompt)?.[1];
  return await inTurn(async () => {
    // Asks for one-time codes each time.
    const subject =
      file ?? (/^\S+@\S+'s password: ?$/.test(prompt) ? `${options.destination} ${options.port} ${prompt}` : undefined);
    const question = { host, prompt: printable(prompt.trim(), 200), echo: false };
    if (subject === undefined) return await ask.password(question);
    const known = lastAnswers.get(subject);
    const wrong = given.get(subject);
    // An answer given to another host's ssh since then is newer than the last one of this ssh.
    const answer =
      known !== undefined && known !== wrong
        ? known
        : file === undefined
          ? await ask.password(question)
          : await ask.passphrase({ file, again: wrong !== undefined });
    lastAnswers.set(subject, answer);
    given.set(subject, answer);
    return answer;
  });
}
