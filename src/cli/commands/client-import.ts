/** Owns `client import`: directory, contexts and environment from a bundle that was made on another computer. */

import { bundleOfEnvironment, importClient, namedHosts, readBundle } from '../../actions/client-import.ts';
import { giveContext } from '../../actions/context.ts';
import { readIn } from '../../actions/files.ts';
import { storeOf } from '../../actions/store.ts';
import { readRequests, removeRequest } from '../../adapters/store/requests.ts';
import { checkContextName, contextNameOf } from '../../domain/names.ts';
import { inspectCertificate } from '../../domain/pki/inspect.ts';
import { accepts, reachableHosts } from '../../domain/trust/reachable-hosts.ts';
import { dateWords } from '../../domain/words.ts';
import { refreshCopies } from '../../engine/installed-copies.ts';
import { DockerTlsError, usage } from '../../errors/errors.ts';
import { dockerConfigDirectory } from '../../user.ts';
import { defineCommand } from '../command.ts';

export const command = defineCommand({
  name: 'client import',
  withoutFleet: true,
  summary: 'Directory, contexts and environment from a bundle of another computer',
  about:
    "Takes what `client export` or `client sign` made: a tar archive, PEM or env lines; also a certificate (PEM) that another CA gave for a request. Credentials without a key have to belong to a request that was made here.\nNeither the CA's key nor SSH is needed here; env, context, verify and doctor then know the hosts.",
  examples: [
    'docker-tls client import ci.tar --use',
    'docker-tls client import ann.tar --no-context && eval "$(docker-tls env build-1)"',
    'docker-tls client import ann.pem --ca ca.pem --host tcp://build-1.example.org:2376',
    'openssl pkcs12 -in ci.p12 -nodes | docker-tls client import -',
    'docker-tls client import --from-env --context ci --use',
  ],
  args: { file: { summary: 'the bundle; - is standard input', completes: 'file' } },
  options: {
    fromEnv: {
      kind: 'flag',
      summary: 'from DOCKER_TLS_CA, DOCKER_TLS_CERT and DOCKER_TLS_KEY of the environment, as in CI',
    },
    name: { kind: 'text', value: 'NAME', summary: 'another name for the client in this store' },
    ca: {
      kind: 'text',
      value: 'FILE',
      summary: 'the CA of the hosts, where PEM credentials lack it',
      completes: 'file',
    },
    host: { kind: 'list', value: 'tcp://…', summary: 'hosts that the client reaches, where the credentials name none' },
    context: {
      kind: 'text',
      value: 'NAME',
      summary: "the context's name, where there is one host; default: the host's",
    },
    noContext: { kind: 'flag', summary: 'make no docker contexts' },
    use: { kind: 'flag', summary: "make the (first) host's context the current one" },
    replace: { kind: 'flag', summary: 'take the place of another client of that name, and of contexts of others' },
  },
  async run({ args, options, global, runtime }) {
    if ((args.file === undefined) === !options.fromEnv)
      throw usage('give either a FILE or --from-env', ['docker-tls client import FILE']);
    const ca = options.ca === undefined ? undefined : (await readIn(options.ca, runtime.cwd)).toString('utf8');
    const read =
      args.file === undefined
        ? bundleOfEnvironment(runtime.env)
        : readBundle(await readIn(args.file, runtime.cwd), {
            ca,
            name: options.name,
          });
    const bundle = read && options.host.length > 0 ? { ...read, hosts: namedHosts(options.host) } : read;
    if (bundle === undefined) {
      throw new DockerTlsError({
        code: 'E_BUNDLE',
        message: 'DOCKER_TLS_CA and DOCKER_TLS_CERT are not in the environment',
        hints: ['docker-tls client export NAME --format env --out FILE'],
      });
    }
    if (options.context !== undefined) requireOneHost(options.context, bundle.hosts, options.noContext);
    const store = storeOf({ global, runtime });
    return store.withLock('docker-tls client import', async () => {
      const before = await store.read();
      const imported = importClient({
        state: before,
        bundle,
        pending: readRequests(global.home),
        replace: options.replace,
        now: runtime.now(),
        name: options.name,
      });
      const { name } = imported.client.record;
      if (global.dryRun) return { exit: 0, result: { client: name, dryRun: true }, text: `would import ${name}` };
      await store.write(imported.change);
      for (const request of imported.answers) removeRequest(global.home, request);
      const dockerConfig = dockerConfigDirectory(runtime);
      const state = await store.read();
      const stored = state.clients.get(name);
      if (stored === undefined) throw new Error(`${name} was just written`);
      const hosts = [...reachableHosts(state).values()].filter((host) => accepts(host, stored));
      const contexts: string[] = [];
      const problems: DockerTlsError[] = [...(await refreshCopies(stored, before, runtime)).problems];
      for (const [index, { record }] of (options.noContext ? [] : hosts).entries()) {
        try {
          // Names of hosts may hold an @, names of contexts may not.
          const context = options.context ?? contextNameOf(record.name);
          checkContextName(context);
          await giveContext({
            store,
            host: record.name,
            client: name,
            context,
            dockerConfig,
            use: options.use && index === 0,
            replace: options.replace,
            configDirectory: false,
            now: runtime.now,
          });
          contexts.push(context);
        } catch (error) {
          if (!(error instanceof DockerTlsError)) throw error;
          problems.push(error);
        }
      }
      const { notAfter } = inspectCertificate(stored.cert);
      const names = hosts.map((host) => host.record.name);
      const first = names[0];
      const text = [
        `client ${name}: until ${dateWords(notAfter)}, in ${stored.directory}`,
        `hosts: ${names.join(', ') || 'none named in the bundle'}`,
        ...(contexts.length > 0 ? [`contexts: ${contexts.join(', ')}`] : []),
      ].join('\n');
      const next =
        first === undefined
          ? []
          : [
              `docker-tls verify ${first} --client ${name}`,
              contexts[0] === undefined
                ? `eval "$(docker-tls env ${first} --client ${name})"`
                : options.use
                  ? 'docker version'
                  : `docker --context ${contexts[0]} version`,
            ];
      // buildx looks for ~/.docker/ca.pem as long as DOCKER_TLS_VERIFY is set, whatever the context says.
      const stronger = ['DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_TLS_VERIFY'].filter((one) => runtime.env[one]);
      if (options.use && contexts.length > 0 && stronger.length > 0) next.unshift(`unset ${stronger.join(' ')}`);
      return {
        exit: 0,
        result: { client: name, directory: stored.directory, expires: notAfter.toISOString(), hosts: names, contexts },
        text,
        next,
        errors: problems,
      };
    });
  },
});

/** A name is for one context: said before anything is stored. */
function requireOneHost(context: string, hosts: readonly { readonly name: string }[], none: boolean): void {
  if (none)
    throw usage('--context and --no-context exclude each other', ['docker-tls client import FILE --no-context']);
  checkContextName(context);
  if (hosts.length === 1) return;
  throw usage(
    hosts.length === 0
      ? `--context ${context} needs a host, and the credentials name none`
      : `--context ${context} names one context; the credentials name ${hosts.length} hosts`,
    hosts.length === 0
      ? ['--host tcp://build-1.example.org:2376']
      : ['leave --context out: each host gets a context of its own'],
  );
}
