/** `tunnel HOST`: docker on a host reachable only over SSH, until this command ends. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { defineCommand } from '../../../cli/command.ts';
import { CLIENT_OPTION, FILE } from '../../../cli/host-options.ts';
import { storeOf } from '../../../core/actions/open-store.ts';
import { filesHere, likelyOwn } from '../../../core/actions/own-client.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import type { Secret } from '../../../core/domain/secret.ts';
import { completeHost } from '../../../core/domain/settings.ts';
import { clientName, resolveClient, storedHost } from '../../../core/domain/trust/resolve.ts';
import { sshOptions } from '../../../core/engine/steps/open-host.ts';
import { probeThrough } from '../../../core/engine/through.ts';
import type { ProbeOutcome, Runtime, Tunnel } from '../../../core/runtime.ts';
import type { ExitStatus } from '../../../errors/catalogue.ts';
import { DockerTlsError, usage } from '../../../errors/errors.ts';
import { openTunnel, runCommand } from '../adapters/ssh-tunnel.ts';
import { throughTunnel } from '../domain/tunnel-environment.ts';

export const command = defineCommand({
  scope: ['host', 'store'],
  about:
    'For hosts whose TLS port cannot be dialled from here: connections go through the jump host, or through the host itself where there is none.\nThe local socket (mode 0600) needs no TLS: inside the tunnel docker-tls connects as the client, so the host accepts and rejects it as anywhere else. With --port, programs do TLS themselves; the certificate has to name 127.0.0.1 (setup --san 127.0.0.1).\nWith a COMMAND it runs that with DOCKER_HOST set, and ends with it.',
  examples: [
    'docker-tls tunnel build-1 -- docker ps',
    'docker-tls tunnel build-1 --socket ~/build-1.sock   # in another shell: docker -H unix://$HOME/build-1.sock ps',
  ],
  args: {
    host: { summary: "the host's name in the store", required: true, completes: 'host' },
    command: { summary: 'run this with DOCKER_HOST set', many: true },
  },
  options: {
    client: CLIENT_OPTION,
    socket: { ...FILE, value: 'PATH', summary: 'the local socket (default: in a directory of its own)' },
    port: {
      kind: 'number',
      value: 'N',
      min: 1,
      max: 65_535,
      summary: 'a port of 127.0.0.1 instead, without TLS of ours',
    },
  },
  /** Runs until Ctrl-C, or the end of COMMAND. Fails with E_TUNNEL, E_SSH_LOST, and as connecting and the choice of a client do. */
  async run(context) {
    const { global, runtime, progress, prompts, args, options } = context;
    const { host: name, command } = args;
    if (options.socket !== undefined && options.port !== undefined)
      throw usage('--socket and --port exclude each other', [`docker-tls tunnel ${name}`]);
    if (global.json) throw usage('--json: a tunnel has no result', [`docker-tls tunnel ${name}`]);
    const store = storeOf(context);
    const state = await store.read();
    const host = storedHost(state, name, context.again);
    const client = resolveClient(state, host, clientName(options, runtime), context.again, likelyOwn(store));
    const { address, port } = host.record;
    const credentials = { cert: client.cert, key: client.key as Secret };
    const line = progress.host(name);
    line.phase('connect');
    await using session = await runtime.connect({
      ...sshOptions(completeHost(host.record), { runtime, ask: prompts.ssh }),
      hostKeyFlag: false,
    });
    const { tunnel } = session;
    if (tunnel === undefined) throw new Error('this session has no tunnel');
    line.phase('verify');
    // Reports a failure now and not at the first docker command.
    const target = { address, port, ca: client.ca, credentials, timeoutMs: 10_000 };
    const outcome = await probeThrough(runtime.probe, tunnel)(target);
    if (outcome.kind === 'refused') throw unusable(outcome, tunnel, name, client.record.name);
    const own =
      options.socket === undefined && options.port === undefined ? mkdtempSync(join(tmpdir(), 'docker-tls-')) : '';
    const path = options.socket === undefined ? join(own, 'docker.sock') : resolve(runtime.cwd, options.socket);
    const at = options.port === undefined ? { path } : { port: options.port };
    const endpoint = options.port === undefined ? `unix://${path}` : `tcp://127.0.0.1:${options.port}`;
    try {
      const opened = await openTunnel({
        ...{ at, address, ca: client.ca, client: credentials },
        dial: () => tunnel.open(address, port),
        failed: (why) => progress.note(`${name}: a connection failed: ${why}`),
      });
      line.done(`${endpoint} as ${client.record.name}, through ${tunnel.via}`);
      const exit =
        command.length === 0
          ? await untilStopped(runtime, tunnel, progress.note, `export DOCKER_HOST=${shellQuote(endpoint)}`)
          : await runCommand(command, throughTunnel(runtime.env, endpoint, filesHere(store, client)));
      await opened.close();
      return { exit, result: undefined, text: '' };
    } finally {
      if (own !== '') rmSync(own, { recursive: true, force: true });
    }
  },
});

function unusable(
  { cause, reason }: Extract<ProbeOutcome, { kind: 'refused' }>,
  { via }: Tunnel,
  where: string,
  client: string,
): DockerTlsError {
  const rejects = `the host rejects the client ${client} (asked through ${via})`;
  const what = cause === 'client-refused' ? rejects : `the TLS port cannot be used through ${via}: ${cause}, ${reason}`;
  const hints = ['docker-tls client list', `docker-tls status ${where}`];
  return new DockerTlsError('E_TUNNEL', what, { where, hints });
}

/** Ctrl-C is the normal end of a tunnel; a lost connection is a failure. */
async function untilStopped(
  { signal }: Runtime,
  tunnel: Tunnel,
  note: (text: string) => void,
  line: string,
): Promise<ExitStatus> {
  note(line);
  const stopped = new Promise<'stopped'>((resolveStop) => {
    if (signal.aborted) resolveStop('stopped');
    signal.addEventListener('abort', () => resolveStop('stopped'), { once: true });
  });
  if ((await Promise.race([stopped, tunnel.ended])) === 'stopped') return 130;
  const hints = ['run the same command again'];
  throw new DockerTlsError('E_SSH_LOST', `the connection through ${tunnel.via} was lost`, { hints });
}
