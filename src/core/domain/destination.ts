/** Parser of HOST as users type it: `[user@]name[:port]`, `ssh://…`, IPv6 in brackets, or `local`. */

import { domainToASCII } from 'node:url';
import { DockerTlsError } from '../../errors/errors.ts';
import { given } from './given.ts';

/** An ssh destination as typed. */
export type Destination = { readonly destination: string; readonly user?: string; readonly port?: number };

/** Parses an ssh destination. Fails with E_HOST_NAME (exit 2) for anything that ssh or a shell could misinterpret. */
export function parseDestination(text: string): Destination {
  const body = text.replace(/^ssh:\/\//, '').replace(/\/$/, '');
  const match =
    /^(?:([^@\s/]+)@)?(\[[0-9A-Fa-f:.]+(?:%[\w.-]+)?\]|[^@:\s/[\]]+|[0-9A-Fa-f]*:[0-9A-Fa-f:.]+(?:%[\w.-]+)?)(?::(\d{1,5}))?$/.exec(
      body,
    );
  const bare = match && /^[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*(?:%[\w.-]+)?$/.test(body.replace(/^[^@]*@/, ''));
  const user = match?.[1];
  const typed = bare ? body.replace(/^[^@]*@/, '') : match?.[2]?.replace(/^\[|\]$/g, '');
  // Punycode: ssh and its configuration support no other form.
  const name = typed !== undefined && /[^\x00-\x7f]/.test(typed) ? domainToASCII(typed) : typed;
  const port = bare || match?.[3] === undefined ? undefined : Number(match[3]);
  const good =
    name !== undefined &&
    /^[A-Za-z0-9_:][A-Za-z0-9._:%-]{0,252}$/.test(name) &&
    (user === undefined || /^[A-Za-z0-9_][A-Za-z0-9._\\+-]*\$?$/.test(user));
  if (!good || (port !== undefined && (port < 1 || port > 65_535))) {
    throw new DockerTlsError(
      'E_HOST_NAME',
      `"${text}" is not a host: [user@]name[:port], ssh://user@name:port, or local`,
      { hints: ['for instance root@build-1.example.org, or admin@[2001:db8::7]:2222'] },
    );
  }
  return { destination: name, ...given({ user, port }) };
}

/** Default name of a host in the store: the destination, made safe as a file name. */
export function nameOf(destination: string): string {
  const name = destination.replace(/[:%]+/g, '-').replace(/^[^A-Za-z0-9]+/, '');
  return name === '' ? 'host' : name.slice(0, 128).replace(/\.+$/, '');
}

/** Text that `parseDestination` accepts. */
export function destinationWords({ user, destination, port }: Destination): string {
  const place = destination.includes(':') ? `[${destination}]` : destination;
  return `${user === undefined ? '' : `${user}@`}${place}${port === undefined ? '' : `:${port}`}`;
}

/** Key of an ssh destination, whatever the user: equal keys mean the same host. */
export function wayOf(ssh: Destination & { readonly jump?: readonly string[]; readonly configFile?: string }): string {
  // A trailing root dot does not matter.
  return JSON.stringify([
    ssh.destination.toLowerCase().replace(/\.$/, ''),
    ssh.port ?? 22,
    ssh.jump ?? [],
    ssh.configFile ?? '',
  ]);
}

/** Key of a daemon: several rootless daemons, one per user, may run on one host. */
export function daemonOf(ssh: Parameters<typeof wayOf>[0] & { readonly rootless?: boolean | undefined }): string {
  return JSON.stringify([wayOf(ssh), ssh.rootless ? (ssh.user ?? '') : null]);
}

/** An address without the brackets of IPv6 URLs. */
export function bareAddress(address: string): string {
  return address.replace(/^\[(.*)\]$/, '$1');
}

/** DOCKER_HOST of a TLS daemon; IPv6 gets brackets, and the percent sign of its zone is escaped (RFC 6874). */
export function dockerHost(address: string, port: number): string {
  const bare = bareAddress(address);
  return bare.includes(':') ? `tcp://[${bare.replace(/%(?:25)?/, '%25')}]:${port}` : `tcp://${bare}:${port}`;
}

/** Address (without brackets) and port of a `tcp://` host. */
export function hostAndPort(host: string): readonly [address: string, port: string] {
  const [, bracketed, plain, port] = /^[a-z]+:\/\/(?:\[(.+)\]|([^:/]*))(?::([0-9]+))?/.exec(host) ?? [];
  return [(bracketed ?? plain ?? host).replace('%25', '%'), port ?? '2376'];
}

type Placed = {
  readonly name: string;
  readonly address?: string | undefined;
  readonly ssh: Destination & { readonly jump?: readonly string[] };
};

/** Names of the hosts in `all` that use `host` as a jump host, according to their settings (ssh's own configuration may add more). */
export function reachedThrough(host: Placed, all: Iterable<Placed>): readonly string[] {
  const own = [host.name, host.ssh.destination, host.address].map((name) => name?.toLowerCase());
  return [...all].flatMap(({ name, ssh }) => (ssh.jump?.some((hop) => own.includes(hopName(hop))) ? [name] : []));
}

/** The name in `[user@]name[:port]` or `ssh://…`. */
function hopName(hop: string): string | undefined {
  const match = /^(?:ssh:\/\/)?(?:[^@]+@)?(?:\[([^\]]+)\]|([^:/]+|[0-9A-Fa-f:]*::?[0-9A-Fa-f:]*))(?::\d+)?\/?$/.exec(
    hop,
  );
  return (match?.[1] ?? match?.[2])?.toLowerCase();
}
