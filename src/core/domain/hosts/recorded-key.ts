/** SSH host keys in the records of hosts. */

import type { StoreState } from '../../adapters/store/records.ts';
import type { HostKey } from '../../runtime.ts';
import { wayOf } from '../destination.ts';
import { fingerprintOf } from '../pki/ssh-wire.ts';
import type { HostSpec, SshSpec } from '../settings.ts';
import { isRecordedHostKey } from '../values.ts';

/** A recorded key holds until another one, or `strict`, is named: `accept-new` then applies only to jump hosts. */
export function keepingKey(ssh: SshSpec, { hostKey }: SshSpec): SshSpec {
  if (hostKey === undefined || hostKey === 'strict') return ssh;
  if (ssh.hostKey === 'accept-new') return { ...ssh, hostKey, acceptNewJumps: true };
  return ssh.hostKey === undefined ? { ...ssh, hostKey } : ssh;
}

/** A host from a fleet file, with the host key from its record if ssh goes to the same place. */
export function withRecordedKey(spec: HostSpec, { hosts }: Pick<StoreState, 'hosts'>): HostSpec {
  const known = hosts.get(spec.name)?.record.ssh;
  return known !== undefined && sameWay(known, spec.ssh) ? { ...spec, ssh: keepingKey(spec.ssh, known) } : spec;
}

/** Whatever the ssh configuration: each computer has its own, and a runner may have none for the record. */
function sameWay(known: SshSpec, ssh: SshSpec): boolean {
  return wayOf({ ...known, configFile: undefined }) === wayOf({ ...ssh, configFile: undefined });
}

/**
 * The host with the key that it showed and that this run accepted, by whatever means: every user of the record, and every runner, then
 * accepts this key alone, from their first connection. Not with `strict`, which leaves the key to known_hosts: a recorded key (`known`)
 * stays, since `strict` holds for this run.
 */
export function withSeenKey(spec: HostSpec, seen: HostKey | undefined, known?: SshSpec): HostSpec {
  const { hostKey: named } = spec.ssh;
  if (named === 'strict') {
    const recorded = known !== undefined && sameWay(known, spec.ssh) ? known.hostKey : undefined;
    return { ...spec, ssh: { ...spec.ssh, hostKey: recorded ?? 'strict' } };
  }
  // A host under an SSH certificate authority may change its key. `accept-new` is never recorded: it holds for one run.
  const without = named === 'accept-new' ? undefined : named;
  const hostKey = seen === undefined || seen.certified ? without : recordedKey(seen);
  return { ...spec, ssh: { ...spec.ssh, hostKey } };
}

/** Notes for a plan that replaces the recorded key of a host: a question for everyone who uses the record. */
export function hostKeyNotes(before: string | undefined, after: string | undefined, operator: string): string[] {
  if (before === undefined || after === undefined || before === 'strict' || after === before) return [];
  if (after === 'strict') return [`SSH host key: it was ${keyWords(before)}, and none is recorded from now on`];
  const [was, is] = [keyWords(before), keyWords(after)];
  if (was.split(' ').at(-1) === is.split(' ').at(-1)) return [];
  return [`SSH host key: it was ${was}, and is ${is}, accepted by ${operator}; from now on only this key is accepted`];
}

/** A recorded key as `TYPE SHA256:…`, or without its type. */
export function keyWords(hostKey: string): string {
  const [type, base64] = hostKey.split(' ');
  if (base64 === undefined) return hostKey;
  return `${type} ${fingerprintOf(Buffer.from(base64, 'base64'))}`;
}

/** A key of a type that records do not support is stored by its fingerprint. */
function recordedKey({ type, base64, fingerprint }: HostKey): string {
  const whole = `${type} ${base64}`;
  return isRecordedHostKey(whole) ? whole : fingerprint;
}
