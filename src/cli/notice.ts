/**
 * Owns what docker-tls says after a command of docker: one line, when the certificate of the host or of the client is due. Docker starts us
 * for it and waits, so this is a program of its own that loads nothing but what it names, reads the few files in use, and never fails. While
 * there is nothing to say it notes until when, and bin/docker-tls-plugin does not start it again.
 */

import { createHash, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { renewal } from '../domain/pki/renewal.ts';
import { shellQuote } from '../domain/quote.ts';
import { dockerOptions } from './plugin-call.ts';

type Env = Readonly<Record<string, string | undefined>>;
type Fields = Readonly<Record<string, unknown>>;

/** Where docker went, and whose files it used. */
type Used = {
  readonly store: string;
  readonly host: string | undefined;
  readonly client: string;
  readonly cert: string;
};

/** What there is to say of some certificates, and when the first of the others is due (milliseconds since 1970). */
type Notice = { readonly line: string | undefined; readonly nextDue: number };

/** A context may get another host, or a store other certificates, without a trace in what is compared. */
const MOST_QUIET_MS = 86_400_000;
/** Contexts in use at the same time. */
const MOST_KEYS = 8;

/** More hosts than this are not searched for the one that DOCKER_HOST names. */
const MOST_HOSTS = 200;

/** The answer to docker's `docker-cli-plugin-hooks` (docker/cli, cli-plugins/hooks): empty when there is nothing to say. `parent`: docker's own argv. */
export function hookAnswer(env: Env, parent: readonly string[], now: Date): string {
  try {
    const used = usedBy(env, parent);
    const { line, nextDue } = used === undefined ? { line: undefined, nextDue: Infinity } : noticeOf(used, env, now);
    if (line === undefined) keepQuiet(env, Math.min(nextDue, now.getTime() + MOST_QUIET_MS));
    // A Go template: names hold no braces, paths may.
    return line === undefined ? '' : JSON.stringify({ Type: 0, Template: line.replaceAll('{', '{{"{"}}') });
  } catch {
    // Nothing may come between a person and docker.
    return '';
  }
}

/** For bin/docker-tls-plugin, which gives the key: a line for each, of the configuration that docker has now. */
function keepQuiet({ DOCKER_TLS_NOTICE_KEY: key, DOCKER_CONFIG }: Env, untilMs: number): void {
  if (!key || key.length > 1000 || /[\r\n]|\|--config/.test(key)) return;
  const directory = DOCKER_CONFIG || join(homedir(), '.docker');
  const file = join(directory, '.docker-tls-quiet');
  const fresh = changed(file) > changed(join(directory, 'config.json'));
  const others = fresh ? (read(file) ?? '').split('\n').filter((line) => line !== '' && keyOf(line) !== key) : [];
  const lines = [`${Math.floor(untilMs / 1000)} ${key}`, ...others].slice(0, MOST_KEYS);
  const next = `${file}.${process.pid}`;
  writeFileSync(next, `${lines.join('\n')}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(next, file);
}

function keyOf(line: string): string {
  return line.slice(line.indexOf(' ') + 1);
}

/** Milliseconds since 1970; 0 where there is no such file. */
function changed(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** The command line of docker, which started us. Only Linux shows it: on other systems --context is not seen. */
export function parentArguments(): string[] {
  try {
    return readFileSync(`/proc/${process.ppid}/cmdline`, 'utf8').split('\0').slice(1);
  } catch {
    return [];
  }
}

function usedBy(env: Env, parent: readonly string[]): Used | undefined {
  const { config, context: flag, host } = dockerOptions(parent);
  if (host !== undefined) return undefined;
  if (env.DOCKER_HOST && flag === undefined) return usedByEnvironment(env.DOCKER_HOST, env);
  const directory = config ?? (env.DOCKER_CONFIG || join(homedir(), '.docker'));
  const context = flag ?? (env.DOCKER_CONTEXT || currentContext(directory));
  if (context === undefined) return undefined;
  const id = createHash('sha256').update(context).digest('hex');
  const { Metadata: metadata } = json(join(directory, 'contexts/meta', id, 'meta.json'));
  const mark = (metadata as Fields | undefined)?.DockerTls as Fields | undefined;
  const { Store: store, Host: name, Client: client } = mark ?? {};
  if (typeof store !== 'string' || typeof name !== 'string' || typeof client !== 'string') return undefined;
  return { store, host: name, client, cert: join(directory, 'contexts/tls', id, 'docker/cert.pem') };
}

/** Lines of `env`: DOCKER_CERT_PATH is the client's directory in the store. */
function usedByEnvironment(endpoint: string, { DOCKER_CERT_PATH: path }: Env): Used | undefined {
  if (!path || basename(dirname(path)) !== 'clients') return undefined;
  const store = dirname(dirname(resolve(path)));
  const [, address, port] = /^tcp:\/\/(.+):(\d+)$/.exec(endpoint) ?? [];
  const bare = address?.replace(/^\[|\]$/g, '');
  const host = names(join(store, 'hosts'))
    .slice(0, MOST_HOSTS)
    .find((name) => {
      const record = json(join(store, 'hosts', name, 'host.json'));
      return record.address === bare && String(record.port) === port;
    });
  return { store, host, client: basename(path), cert: join(path, 'cert.pem') };
}

function noticeOf({ store, host, client, cert }: Used, env: Env, now: Date): Notice {
  const standard = resolve(env.DOCKER_TLS_HOME || join(env.DOCKER_CONFIG || join(homedir(), '.docker'), 'tls'));
  const home = resolve(store) === standard ? '' : ` --home ${shellQuote(store)}`;
  const renewed = imported(store, client)
    ? `docker tls client import FILE${home}, with a new bundle from where it was issued`
    : `docker tls rotate client ${client}${home}`;
  const found = [
    due(`the client ${client}`, cert, renewed, now),
    ...(host === undefined
      ? []
      : [
          due(
            `the certificate of ${host}`,
            join(store, 'hosts', host, 'server-cert.pem'),
            `docker tls rotate server ${host}${home}`,
            now,
          ),
        ]),
  ];
  const parts = found.flatMap(({ line }) => line ?? []);
  return {
    line: parts.length === 0 ? undefined : parts.join('; '),
    nextDue: Math.min(...found.map(({ nextDue }) => nextDue)),
  };
}

function due(what: string, file: string, command: string, now: Date): Notice {
  const text = read(file);
  if (text === undefined) return { line: undefined, nextDue: Infinity };
  const { validFrom, validTo } = new X509Certificate(text);
  const { state, daysLeft, dueAt } = renewal({ notBefore: new Date(validFrom), notAfter: new Date(validTo), now });
  if (state !== 'due' && state !== 'expired') return { line: undefined, nextDue: dueAt.getTime() };
  const left = daysLeft === 1 ? '1 day' : `${daysLeft} days`;
  return {
    line: `${what} ${state === 'expired' ? 'has expired' : `expires in ${left}`}: ${command}`,
    nextDue: Infinity,
  };
}

function imported(store: string, client: string): boolean {
  return json(join(store, 'clients', client, 'client.json')).reaches !== undefined;
}

function currentContext(directory: string): string | undefined {
  const { currentContext: name } = json(join(directory, 'config.json'));
  return typeof name === 'string' && name !== '' && name !== 'default' ? name : undefined;
}

function json(file: string): Fields {
  const text = read(file);
  return text === undefined ? {} : (JSON.parse(text) as Fields);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function names(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
