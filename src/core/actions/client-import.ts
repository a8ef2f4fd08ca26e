/** `client import`: directory and docker contexts of a client issued by another store. */

import { DockerTlsError, failureOf, usage } from '../../errors/errors.ts';
import type { ClientBundle } from '../adapters/docker/bundle.ts';
import { readRequests, removeRequest } from '../adapters/store/requests.ts';
import type { Store } from '../adapters/store/store.ts';
import { checkContextName, contextNameOf } from '../domain/names.ts';
import { inspectCertificate } from '../domain/pki/inspect.ts';
import { importedClient } from '../domain/trust/imported-client.ts';
import { accepts, reachableHosts } from '../domain/trust/reachable-hosts.ts';
import { refreshCopies } from '../engine/installed-copies.ts';
import { dockerConfigDirectory } from '../user.ts';
import type { ActionContext } from './action-context.ts';
import { readIn } from './files.ts';
import { giveContext } from './give-context.ts';
import { bundleOfEnvironment, namedHosts, readBundle } from './read-bundle.ts';
import { storeOf } from './store.ts';

export type ImportOptions = {
  readonly fromEnv: boolean;
  readonly name: string | undefined;
  readonly ca: string | undefined;
  readonly host: readonly string[];
  readonly context: string | undefined;
  readonly noContext: boolean;
  readonly use: boolean;
  readonly replace: boolean;
};

export type Imported = {
  readonly client: string;
  readonly directory: string;
  readonly expires: Date;
  readonly hosts: readonly string[];
  /** New docker contexts. */
  readonly contexts: readonly string[];
  readonly problems: readonly DockerTlsError[];
};

/**
 * A dry run returns only the name. Fails with E_USAGE, E_FILE, E_BUNDLE, E_CONTEXT_NAME (exit 2), and as `importedClient` and the store do.
 */
export async function importClient(
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
    const copies = await refreshCopies(stored, before, runtime);
    const made = await makeContexts(context, options.noContext ? [] : hosts, { name, store, options });
    return {
      client: name,
      directory: stored.directory,
      expires: inspectCertificate(stored.cert).notAfter,
      hosts,
      contexts: made.contexts,
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
  if (options.context !== undefined) requireOneHost(options.context, bundle.hosts, options.noContext);
  return bundle;
}

/** A context for each host; a failure is a problem next to the others. */
async function makeContexts(
  { runtime }: ActionContext,
  hosts: readonly string[],
  { name, store, options }: { readonly name: string; readonly store: Store; readonly options: ImportOptions },
): Promise<Pick<Imported, 'contexts' | 'problems'>> {
  const { use, replace } = options;
  const contexts: string[] = [];
  const problems: DockerTlsError[] = [];
  const what = { store, client: name, dockerConfig: dockerConfigDirectory(runtime), replace, now: runtime.now };
  for (const [index, host] of hosts.entries()) {
    try {
      // Names of hosts may contain an @, names of contexts may not.
      const context = options.context ?? contextNameOf(host);
      checkContextName(context);
      await giveContext({ ...what, host, context, use: use && index === 0, configDirectory: false });
      contexts.push(context);
    } catch (error) {
      problems.push(failureOf(error));
    }
  }
  return { contexts, problems };
}

/** Rejects two contexts of one name, before anything is stored. */
function requireOneHost(context: string, { length }: readonly unknown[], none: boolean): void {
  if (none)
    throw usage('--context and --no-context exclude each other', ['docker-tls client import FILE --no-context']);
  checkContextName(context);
  if (length === 0)
    throw usage(`--context ${context} needs a host, and the credentials name none`, [
      '--host tcp://build-1.example.org:2376',
    ]);
  if (length > 1)
    throw usage(`--context ${context} names one context; the credentials name ${length} hosts`, [
      'leave --context out: each host gets a context of its own',
    ]);
}
