/**
 * The notice after a docker command: one line if the host's or the client's certificate is due. Docker waits for its plugins, so
 * bin/docker-tls-plugin prints the cached answer and starts this program in the background when the cache is stale.
 */

import { createHash, X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { type DockerOptions, dockerOptions } from '../../../cli/plugin-call.ts';
import { renewal } from '../../../core/domain/pki/renewal.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { offeredCommands } from '../../../core/seams/offered-commands.ts';
import { homeDirectory } from '../../../core/user.ts';

type Env = Readonly<Record<string, string | undefined>>;
type Fields = Readonly<Record<string, unknown>>;

/** Docker's config directory, and the other inputs that select its endpoint. */
type Place = { readonly config: string; readonly options: DockerOptions; readonly env: Env };

/** Docker's endpoint and the client files in use. */
type Used = {
  readonly store: string;
  readonly host: string | undefined;
  readonly client: string;
  readonly cert: string;
};

/** The notice for some certificates, and the time when the next of the others is due (milliseconds since 1970). */
type Notice = { readonly line: string | undefined; readonly nextDue: number };

/** Recheck interval without a notice: a context may get another host, or a store new certificates, without any compared file changing. */
const MOST_QUIET_MS = 86_400_000;
/** Recheck interval with a notice, because its line contains a number of days. */
const MOST_SAID_MS = 3_600_000;
/** Contexts cached at the same time. */
const MOST_KEYS = 8;

/** With more hosts than this, the host that DOCKER_HOST names is not looked up. */
const MOST_HOSTS = 200;

/** The answer to docker's `docker-cli-plugin-hooks` (docker/cli, cli-plugins/hooks); empty: no notice. `parent`: docker's own argv. */
export function hookAnswer(env: Env, parent: readonly string[], now: Date): string {
  try {
    const options = dockerOptions(parent);
    const place: Place = {
      config: options.config ?? (env.DOCKER_CONFIG || join(homeDirectory(env), '.docker')),
      options,
      env,
    };
    const used = usedBy(place);
    const { line, nextDue } = used === undefined ? { line: undefined, nextDue: Infinity } : noticeOf(used, place, now);
    // A Go template: names contain no braces, paths may.
    const answer = line === undefined ? '' : JSON.stringify({ Type: 0, Template: line.replaceAll('{', '{{"{"}}') });
    const again = line === undefined ? Math.min(nextDue, now.getTime() + MOST_QUIET_MS) : now.getTime() + MOST_SAID_MS;
    keep(place, [`${Math.floor(again / 1000)}`, env.DOCKER_TLS_NOTICE_KEY ?? '', ...filesOf(used), answer]);
    return answer;
  } catch {
    // A failure here must never disturb docker.
    return '';
  }
}

/** The client's certificate and the host's, both rewritten by a renewal; `-` for none. */
function filesOf(used: Used | undefined): [string, string] {
  return [used?.cert ?? '-', used?.host === undefined ? '-' : hostFile(used.store, used.host)];
}

function hostFile(store: string, host: string): string {
  return join(store, 'hosts', host, 'server-cert.pem');
}

/** The cache for bin/docker-tls-plugin, which supplies the key: one line per docker configuration. */
function keep({ config: directory }: Place, fields: readonly string[]): void {
  const [, key = ''] = fields;
  const line = fields.join('\t');
  if (key === '' || line.length > 4000 || /[\r\n]/.test(line) || line.split('\t').length !== fields.length) return;
  const file = join(directory, '.docker-tls-notice');
  const noted = changed(file);
  // Rewriting makes the file newer than certificates renewed after an entry was cached, so such entries are dropped.
  const holds = (one: string): boolean => {
    const [, other, ...files] = one.split('\t');
    return other !== undefined && other !== key && files.slice(0, 2).every((path) => changed(path) <= noted);
  };
  const others = noted > changed(join(directory, 'config.json')) ? (read(file) ?? '').split('\n').filter(holds) : [];
  const next = `${file}.${process.pid}`;
  writeFileSync(next, `${[line, ...others].slice(0, MOST_KEYS).join('\n')}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(next, file);
}

/** Milliseconds since 1970; 0 if the file does not exist. */
function changed(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

/** The command line of docker, which started this process or its script. Only Linux shows it: on other systems --context is not seen. */
export function parentArguments({ DOCKER_TLS_NOTICE_OPTIONS: options }: Env): string[] {
  if (options !== undefined) return options.split('|').slice(1);
  try {
    return readFileSync(`/proc/${process.ppid}/cmdline`, 'utf8').split('\0').slice(1);
  } catch {
    return [];
  }
}

function usedBy({ config: directory, options: { context: flag, host }, env }: Place): Used | undefined {
  if (host !== undefined) return undefined;
  if (env.DOCKER_HOST && flag === undefined) return usedByEnvironment(env.DOCKER_HOST, env);
  const context = flag ?? (env.DOCKER_CONTEXT || currentContext(directory));
  if (context === undefined) return undefined;
  const id = createHash('sha256').update(context).digest('hex');
  const { Metadata: metadata } = json(join(directory, 'contexts/meta', id, 'meta.json'));
  const mark = (metadata as Fields | undefined)?.DockerTls as Fields | undefined;
  const { Store: store, Host: name, Client: client } = mark ?? {};
  if (typeof store !== 'string' || typeof name !== 'string' || typeof client !== 'string') return undefined;
  return { store, host: name, client, cert: join(directory, 'contexts/tls', id, 'docker/cert.pem') };
}

/** Environment printed by `env`: DOCKER_CERT_PATH is the client's directory in the store. */
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

function noticeOf({ store, host, client, cert }: Used, { config, options, env }: Place, now: Date): Notice {
  const standard = resolve(env.DOCKER_TLS_HOME || join(config, 'tls'));
  // It may decide where the plugin and the store are.
  const docker = options.config === undefined ? 'docker' : `docker --config ${shellQuote(options.config)}`;
  const home = resolve(store) === standard ? '' : ` --home ${shellQuote(store)}`;
  const imports = offeredCommands('import', `FILE${home}`).map((one) =>
    one.replace('docker-tls', () => `${docker} tls`),
  );
  const renewed = imported(store, client)
    ? [...imports, 'with a new bundle from where it was issued'].join(', ')
    : `${docker} tls rotate client ${client}${home}`;
  const found = [
    due(`the client ${client}`, cert, renewed, now),
    ...(host === undefined
      ? []
      : [due(`the certificate of ${host}`, hostFile(store, host), `${docker} tls rotate server ${host}${home}`, now)]),
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
