/** `client import`: directory, contexts and environment from a bundle of another machine. */

import {
  type CommandContext,
  type CommandResult,
  defineCommand,
  type OptionSpecs,
  type OptionValues,
} from '../../../cli/command.ts';
import { FILE } from '../../../cli/host-options.ts';
import type { ActionContext } from '../../../core/actions/action-context.ts';
import { readIn } from '../../../core/actions/input-output.ts';
import { storeOf } from '../../../core/actions/open-store.ts';
import type { Store } from '../../../core/adapters/store/store.ts';
import { contextNameOf } from '../../../core/domain/names.ts';
import { inspectCertificate } from '../../../core/domain/pki/inspect.ts';
import { accepts, reachableHosts } from '../../../core/domain/trust/reachable-hosts.ts';
import { dateWords } from '../../../core/domain/words.ts';
import { COPIES, copiesCode, refreshCopies } from '../../../core/seams/copies.ts';
import { offered, offeredLines, offeredWords } from '../../../core/seams/seam.ts';
import { dockerConfigDirectory } from '../../../core/user.ts';
import { DockerTlsError, failureOf, usage } from '../../../errors/errors.ts';
import type { ClientBundle } from '../adapters/bundle.ts';
import { readRequests, removeRequest } from '../adapters/requests.ts';
import { importedClient } from '../domain/imported-client.ts';
import { bundleOfEnvironment, namedHosts, readBundle } from './imported-bundle.ts';

export type ClientImportDocument =
  | { readonly client: string; readonly dryRun: true }
  | {
      readonly client: string;
      readonly directory: string;
      readonly expires: Date;
      /** Hosts that accept it, by their names here. */
      readonly hosts: readonly string[];
      /** New docker contexts. */
      readonly contexts: readonly string[];
    };

const OPTIONS = {
  fromEnv: {
    kind: 'flag',
    summary: 'from DOCKER_TLS_CA, DOCKER_TLS_CERT and DOCKER_TLS_KEY of the environment, as in CI',
  },
  name: { kind: 'text', value: 'NAME', summary: 'another name for the client in this store' },
  ca: { ...FILE, summary: 'the CA of the hosts, where PEM credentials lack it' },
  host: {
    kind: 'list',
    value: 'tcp://HOST:PORT',
    summary: 'hosts that the client reaches, where the credentials name none',
  },
  ...offered(COPIES, {
    context: {
      kind: 'text',
      value: 'NAME',
      summary: "the context's name, where there is one host (default: the host's)",
    },
    noContext: { kind: 'flag', summary: 'make no docker contexts' },
    use: { kind: 'flag', summary: "make the (first) host's context the current one" },
  } as const),
  replace: {
    kind: 'flag',
    summary: `take the place of another client of that name${offeredWords(COPIES, ', and of contexts of others')}`,
  },
} as const satisfies OptionSpecs;

export const command = defineCommand({
  scope: ['changes', 'store'],
  about: `Takes what \`client export\` or \`client sign\` made: a tar archive, PEM or env lines; also a certificate (PEM) that another CA gave for a request. Credentials without a key have to belong to a request that was made here.\nNeither the CA's key nor SSH is needed here; env${offeredWords(COPIES, ', context')} and verify then know the hosts.`,
  examples: [
    ...offeredLines(
      COPIES,
      'docker-tls client import ci.tar --use',
      'docker-tls client import ann.tar --no-context && eval "$(docker-tls env build-1)"',
    ),
    'docker-tls client import ann.pem --ca ca.pem --host tcp://build-1.example.org:2376',
    'openssl pkcs12 -in ci.p12 -nodes | docker-tls client import -',
    ...offeredLines(COPIES, 'docker-tls client import --from-env --context ci --use'),
  ],
  args: { file: { summary: 'the bundle; - is standard input', completes: 'file' } },
  options: OPTIONS,
  run: async (context) => renderImported(await importClient(context, context.args.file, context.options), context),
});

type ImportOptions = OptionValues<typeof OPTIONS>;

type Imported = {
  readonly client: string;
  readonly directory: string;
  readonly expires: Date;
  readonly hosts: readonly string[];
  /** New docker contexts. */
  readonly contexts: readonly string[];
  /** The one of them that is the current context now. */
  readonly current?: string | undefined;
  readonly problems: readonly DockerTlsError[];
};

/**
 * A dry run returns only the name. Fails with E_USAGE, E_FILE, E_BUNDLE, E_CONTEXT_NAME (exit 2), and as `importedClient` and the store do.
 */
async function importClient(
  context: ActionContext,
  file: string | undefined,
  options: ImportOptions,
): Promise<Imported | Pick<Imported, 'client'>> {
  const { global, runtime } = context;
  const bundle = await bundleFor(context, file, options);
  const store = storeOf(context);
  return store.withLock('docker-tls client import', async () => {
    const before = await store.read();
    const request = { bundle, name: options.name, replace: options.replace, pending: readRequests(global.home) };
    const { client, change, answers } = importedClient({ ...request, state: before, now: runtime.now() });
    const { name } = client.record;
    if (global.dryRun) return { client: name };
    await store.write(change);
    for (const request of answers) removeRequest(global.home, request);
    const state = await store.read();
    const stored = state.clients.get(name);
    if (stored === undefined) throw new Error(`${name} was just written`);
    const reached = [...reachableHosts(state).values()].filter((host) => accepts(host, stored));
    const hosts = reached.map(({ record }) => record.name);
    const copies = await refreshCopies(stored, before);
    const made = await makeContexts(context, options.noContext ? [] : hosts, { name, store, options });
    return {
      client: name,
      directory: stored.directory,
      expires: inspectCertificate(stored.cert).notAfter,
      hosts,
      contexts: made.contexts,
      current: made.current,
      problems: [...copies.problems, ...made.problems],
    };
  });
}

async function bundleFor(
  { runtime }: ActionContext,
  file: string | undefined,
  options: ImportOptions,
): Promise<ClientBundle> {
  const { name, host } = options;
  if ((file === undefined) === !options.fromEnv)
    throw usage('give either a FILE or --from-env', ['docker-tls client import FILE']);
  const ca = options.ca === undefined ? undefined : (await readIn(options.ca, runtime.cwd)).toString('utf8');
  const read =
    file === undefined ? bundleOfEnvironment(runtime.env) : readBundle(await readIn(file, runtime.cwd), ca, name);
  const bundle = read && host.length > 0 ? { ...read, hosts: namedHosts(host) } : read;
  if (bundle === undefined) {
    const hints = ['docker-tls client export NAME --format env --out FILE'];
    throw new DockerTlsError('E_BUNDLE', 'DOCKER_TLS_CA and DOCKER_TLS_CERT are not in the environment', { hints });
  }
  if (options.context !== undefined) await requireOneHost(options.context, bundle.hosts, options.noContext);
  return bundle;
}

/** A context for each host; a failure is a problem next to the others. */
async function makeContexts(
  { runtime }: ActionContext,
  hosts: readonly string[],
  { name, store, options }: { readonly name: string; readonly store: Store; readonly options: ImportOptions },
): Promise<Pick<Imported, 'contexts' | 'current' | 'problems'>> {
  const { use, replace } = options;
  const contexts: string[] = [];
  const problems: DockerTlsError[] = [];
  let current: string | undefined;
  const copies = await copiesCode();
  if (copies === undefined) return { contexts, problems };
  const what = { store, client: name, dockerConfig: dockerConfigDirectory(runtime), replace, now: runtime.now };
  for (const [index, host] of hosts.entries()) {
    try {
      // Names of hosts may contain an @, names of contexts may not.
      const context = options.context ?? contextNameOf(host);
      const becomesCurrent = use && index === 0;
      await copies.give({ ...what, host, context, use: becomesCurrent, configDirectory: false });
      contexts.push(context);
      if (becomesCurrent) current = context;
    } catch (error) {
      problems.push(failureOf(error));
    }
  }
  return { contexts, current, problems };
}

/** Rejects two contexts of one name, before anything is stored. */
async function requireOneHost(context: string, { length }: readonly unknown[], none: boolean): Promise<void> {
  if (none)
    throw usage('--context and --no-context exclude each other', ['docker-tls client import FILE --no-context']);
  (await copiesCode())?.checkName(context);
  if (length === 0)
    throw usage(`--context ${context} needs a host, and the credentials name none`, [
      '--host tcp://build-1.example.org:2376',
    ]);
  if (length > 1)
    throw usage(`--context ${context} names one context; the credentials name ${length} hosts`, [
      'leave --context out: each host gets a context of its own',
    ]);
}

type Context = CommandContext<unknown, ImportOptions>;

function renderImported(
  imported: Imported | Pick<Imported, 'client'>,
  context: Context,
): CommandResult<ClientImportDocument> {
  const { client } = imported;
  if (!('hosts' in imported)) return { exit: 0, result: { client, dryRun: true }, text: `would import ${client}` };
  const { directory, expires, hosts, contexts, current, problems } = imported;
  return {
    exit: 0,
    result: { client, directory, expires, hosts, contexts },
    text: [
      `client ${client}: until ${dateWords(expires)}, in ${directory}`,
      `hosts: ${hosts.join(', ') || 'none named in the bundle'}`,
      ...(contexts.length > 0 ? [`contexts: ${contexts.join(', ')}`] : []),
      ...(current === undefined ? [] : [`current context: ${current}`]),
    ].join('\n'),
    next: nextCommands(imported, context),
    errors: problems,
  };
}

function nextCommands({ client, hosts, contexts, current }: Imported, { runtime: { env } }: Context): string[] {
  const [first] = hosts;
  const [context] = contexts;
  // buildx looks for ~/.docker/ca.pem while DOCKER_TLS_VERIFY is set, even with a context.
  const stronger = ['DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_TLS_VERIFY'].filter((one) => env[one]);
  const unset = current !== undefined && stronger.length > 0 ? [`unset ${stronger.join(' ')}`] : [];
  if (first === undefined) return unset;
  const docker = current === undefined ? `docker --context ${context} version` : 'docker version';
  return [
    ...unset,
    `docker-tls verify ${first} --client ${client}`,
    context === undefined ? `eval "$(docker-tls env ${first} --client ${client})"` : docker,
  ];
}
