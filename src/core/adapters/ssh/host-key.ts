/** Host key verification for both ssh transports: pinned, known, new, changed or revoked. No key is accepted silently. */

import { DockerTlsError } from '../../../errors/errors.ts';
import { fingerprintOf } from '../../domain/pki/ssh-wire.ts';
import { shellQuote } from '../../domain/quote.ts';
import type { SshOptions } from '../../runtime.ts';
import type { Endpoint } from './endpoint.ts';
import {
  addKnownHost,
  authorityFor,
  hostKeyOf,
  judgeHostKey,
  type KnownHost,
  keyType,
  knownHostsName,
  pinOf,
  readKnownHosts,
} from './known-hosts.ts';
import { inTurn } from './questions.ts';

/** The endpoint's names in known_hosts: its own and, for a port other than 22, the bare one. */
export function hostKeyNames(endpoint: Endpoint): { readonly name: string; readonly bareName?: string } {
  if (endpoint.hostKeyAlias !== undefined) return { name: endpoint.hostKeyAlias.toLowerCase() };
  const name = knownHostsName(endpoint.hostName, endpoint.port);
  return endpoint.port === 22 ? { name } : { name, bareName: endpoint.hostName.toLowerCase() };
}

/** Every line of the endpoint's known_hosts files. Errors: E_SSH_KNOWN_HOSTS_FILE. */
export function knownLines(endpoint: Endpoint): Promise<readonly KnownHost[]> {
  return readKnownHosts([...endpoint.userKnownHosts, ...endpoint.globalKnownHosts]);
}

/**
 * Decides whether `blob` is the endpoint's key. `more`: lines that are in none of its files. Returns `known` (or pinned), or `stored` if it
 * has just been added. Errors: E_SSH_OTHER_HOST; E_SSH_HOST_KEY_CHANGED, _REVOKED, _UNKNOWN, _PIN; E_SSH_KNOWN_HOSTS_FILE.
 */
export async function settleHostKey(
  options: SshOptions,
  endpoint: Endpoint,
  blob: Buffer,
  more: readonly KnownHost[] = [],
): Promise<'known' | 'stored'> {
  requireFirstKey(options, blob);
  const policy = options.hostKey ?? (endpoint.acceptNew ? 'accept-new' : 'strict');
  const { name, bareName } = hostKeyNames(endpoint);
  const known = await knownLines(endpoint);
  // The same array where nothing is added: its lines about a name are cached by it.
  const lines = more.length === 0 ? known : [...known, ...more];
  const verdict = judgeHostKey(lines, name, blob, bareName);
  if (verdict.kind === 'revoked') throw revoked(options, blob, verdict.known);
  const pinned = pinOf(policy);
  if (pinned?.fingerprint === fingerprintOf(blob)) return 'known';
  if (pinned !== undefined) throw notPinned(options, pinned.fingerprint, blob);
  if (verdict.kind === 'known') return 'known';
  if (verdict.kind === 'changed') throw changed(options, name, blob, verdict.known);
  return await inTurn(async () => {
    // Another connection may have stored the key while this one waited.
    if (judgeHostKey(await knownLines(endpoint), name, blob).kind === 'known') return 'known';
    const question = { host: options.host, address: name, type: keyType(blob), fingerprint: fingerprintOf(blob) };
    if (policy !== 'accept-new' && (await options.ask?.hostKey(question)) !== true) {
      throw unknown(options, endpoint, name, blob, authorityFor(lines, [name]));
    }
    const file = endpoint.userKnownHosts[0];
    if (file !== undefined && file !== '/dev/null') await addKnownHost(file, name, blob, endpoint.hashKnownHosts);
    return 'stored';
  });
}

/** Requires the key of the run's first connection: a change uses several connections, all to one host. Fails with E_SSH_OTHER_HOST. */
export function requireFirstKey({ host, destination, firstKey }: SshOptions, blob: Buffer): void {
  const { type, fingerprint: now } = hostKeyOf(blob);
  if (firstKey === undefined || firstKey.fingerprint === now) return;
  throw new DockerTlsError(
    'E_SSH_OTHER_HOST',
    `another host answers at ${destination}: its key is ${type} ${now}, at the first connection of this run it was ${firstKey.type} ${firstKey.fingerprint}`,
    {
      where: host,
      hints: [
        `see which addresses the name has: getent ahosts ${shellQuote(destination)}`,
        'compare, on the host: for key in /etc/ssh/ssh_host_*.pub; do ssh-keygen -lf $key; done',
      ],
    },
  );
}

function unknown(
  options: SshOptions,
  endpoint: Endpoint,
  name: string,
  blob: Buffer,
  authority: KnownHost | undefined,
): DockerTlsError {
  const file = endpoint.userKnownHosts[0];
  const port = endpoint.port === 22 ? '' : `-p ${endpoint.port} `;
  return new DockerTlsError(
    'E_SSH_HOST_KEY_UNKNOWN',
    `the host's key is not known: ${keyType(blob)} ${fingerprintOf(blob)}`,
    {
      where: options.host,
      details:
        authority === undefined
          ? []
          : [
              `${authority.file}:${authority.line} trusts a certificate authority for ${name}; the host shows no valid certificate of it`,
            ],
      hints: [
        // A fingerprint on the command line belongs to the last host.
        ...(options.jumpTo !== undefined || options.hostKeyFlag === false
          ? []
          : [`if it is the right one: --host-key ${fingerprintOf(blob)}`]),
        ...(options.hostKeyFlag === false ? [] : ['on a network that you trust: --host-key accept-new']),
        // If the configuration stores no keys, one more line would not help.
        ...(file === undefined || file === '/dev/null'
          ? []
          : [`ssh-keyscan ${port}${shellQuote(endpoint.hostName)} >> ${shellQuote(file)}`]),
      ],
    },
  );
}

function changed(options: SshOptions, name: string, blob: Buffer, known: KnownHost): DockerTlsError {
  const how =
    known.type === keyType(blob)
      ? `offers ${keyType(blob)} ${fingerprintOf(blob)}`
      : `offers only a key of another type, ${keyType(blob)} ${fingerprintOf(blob)}`;
  return new DockerTlsError(
    'E_SSH_HOST_KEY_CHANGED',
    `the host's key has changed: possible man-in-the-middle attack: ${known.file}:${known.line} knows ${known.type} ${fingerprintOf(known.key)}, the host ${how}`,
    { where: options.host, hints: [`only if you know why: ssh-keygen -f ${known.file} -R '${name}'`] },
  );
}

function revoked(options: SshOptions, blob: Buffer, known: KnownHost): DockerTlsError {
  return new DockerTlsError(
    'E_SSH_HOST_KEY_REVOKED',
    `the host's key ${keyType(blob)} ${fingerprintOf(blob)} is revoked in ${known.file}:${known.line}`,
    {
      where: options.host,
      hints: ['give the host a new key, on the host as root: rm /etc/ssh/ssh_host_*_key* && ssh-keygen -A'],
    },
  );
}

function notPinned(options: SshOptions, pinned: string, blob: Buffer): DockerTlsError {
  return new DockerTlsError(
    'E_SSH_HOST_KEY_PIN',
    `the host's key is ${keyType(blob)} ${fingerprintOf(blob)}, not ${pinned}`,
    {
      where: options.host,
      hints: [
        'compare, on the host: for key in /etc/ssh/ssh_host_*.pub; do ssh-keygen -lf $key; done',
        options.hostKeyFlag === false
          ? `if it is the right one: docker-tls apply ${options.host} --host-key ${fingerprintOf(blob)}`
          : `if it is the right one: --host-key ${fingerprintOf(blob)}`,
      ],
    },
  );
}
