/** Descriptions of a shared store's changes, for colleagues who read its history. They never contain a secret. */

import type {
  StoreChange,
  StoredCa,
  StoredClient,
  StoredHost,
  StoreState,
} from '../../../core/adapters/store/records.ts';
import { type Destination, destinationWords } from '../../../core/domain/destination.ts';
import { keyWords } from '../../../core/domain/hosts/recorded-key.ts';
import { inspectCertificate } from '../../../core/domain/pki/inspect.ts';

/** One line per change. */
export function describeChange(before: StoreState, change: StoreChange): string[] {
  const lines: string[] = [];
  const { ca } = change;
  if (ca !== undefined) {
    lines.push(
      `CA ${ca.record.name}: ${caWords(ca, before, change)}${change.retireCa ? ', the one before is kept as old' : ''}`,
    );
  } else if (change.retireCa) lines.push('CA: retired');
  for (const serial of change.removeOldCas ?? []) lines.push(`old CA ${serial}: dropped`);
  for (const [name, client] of Object.entries(change.clients ?? {})) lines.push(clientLine(name, client, before));
  const issuers = Object.entries(change.issuers ?? {}).filter(
    ([name, { cert }]) => change.clients?.[name] === undefined && before.issuers.get(name)?.cert !== cert,
  );
  for (const [name] of issuers) lines.push(`client ${name}: new issuing CA`);
  for (const [name, host] of Object.entries(change.hosts ?? {})) lines.push(hostLine(name, host, before));
  for (const name of change.removeClients ?? []) lines.push(`client ${name}: removed`);
  for (const name of change.removeHosts ?? []) lines.push(`host ${name}: removed`);
  return lines.length === 0 ? ['records'] : lines;
}

function caWords(ca: StoredCa, before: StoreState, { issuers = {} }: StoreChange): string {
  if (before.ca === undefined) return 'made';
  if (before.ca.cert !== ca.cert) return 'replaced';
  const known = [before.ca, ...Object.keys(issuers).map((name) => before.issuers.get(name))];
  const isRekeyed = [ca, ...Object.values(issuers)].some(({ cert, keyPem }, index) => {
    const old = known[index];
    return cert === old?.cert && keyPem && old.keyPem && keyPem.revealText() !== old.keyPem.revealText();
  });
  // Not whether they have one now: the store's server reads it.
  return isRekeyed ? 'passphrase of its keys changed' : 'changed';
}

function clientLine(name: string, { record, cert }: StoredClient, { clients }: StoreState): string {
  const known = clients.get(name);
  if (record.revokedAt !== undefined && known?.record.revokedAt === undefined) return `client ${name}: revoked`;
  if (known === undefined) return `client ${name}: added, until ${until(cert)}`;
  return known.cert === cert
    ? `client ${name}: record changed`
    : `client ${name}: new certificate, until ${until(cert)}`;
}

function hostLine(name: string, { record, serverCert, ca }: StoredHost, { hosts }: StoreState): string {
  const known = hosts.get(name);
  const generation = record.generation === undefined ? '' : `, generation ${record.generation}`;
  if (known === undefined) return `host ${name}: added${generation}, certificate until ${until(serverCert)}`;
  const what = [
    ...(known.serverCert === serverCert ? [] : [`new certificate, until ${until(serverCert)}`]),
    ...hostKeyLine(known.record.ssh.hostKey, record.ssh.hostKey),
    ...placeLine(known.record.ssh, record.ssh),
    ...(known.ca === ca ? [] : ['other clients or CAs accepted']),
  ];
  return `host ${name}: ${what.length === 0 ? 'record changed' : what.join(', ')}${generation}`;
}

/** The message names its author, so that colleagues see who accepted the key. */
function hostKeyLine(before: string | undefined, after: string | undefined): string[] {
  const [old, key] = [before, after].map((one) => (one === 'strict' ? undefined : one));
  if (key === undefined) return old === undefined ? [] : [`no SSH host key in place of ${keyWords(old)}`];
  if (old === undefined) return [`SSH host key ${keyWords(key)}`];
  const [was, is] = [keyWords(old), keyWords(key)];
  return was.split(' ').at(-1) === is.split(' ').at(-1) ? [] : [`SSH host key ${is} in place of ${was}`];
}

function placeLine(before: Destination, after: Destination): string[] {
  const place = destinationWords(after);
  return place === destinationWords(before) ? [] : [`record changed: now at ${place}`];
}

function until(cert: string): string {
  return inspectCertificate(cert).notAfter.toISOString().slice(0, 10);
}
