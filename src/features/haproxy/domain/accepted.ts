/** Who is accepted with a certificate of a CA, read back from the configuration and the map of a host. */

import { LISTENER_CLIENTS } from '../../../core/domain/dockerd/paths.ts';
import { ISSUING_CA } from './client-keys.ts';
import { quoted } from './quoted.ts';
import { CONFIG_NAME } from './role-names.ts';

/** `subject`: of the CA. Without `client`: each of its clients. */
export function acceptedOf(
  lists: ReadonlyMap<string, string>,
  subject: string,
): readonly { readonly client?: string; readonly role: string }[] {
  const [config = '', map = ''] = [lists.get(CONFIG_NAME), lists.get(LISTENER_CLIENTS)];
  // Without a port nobody connects, and the map may stay.
  if (!/^frontend docker$/m.test(config)) return [];
  const entries = [...map.matchAll(/^(issuer|subject):(\S+) ([^\s/]+)\/([^\s/]+)\/\S+$/gm)].map(
    ([, by, key, client = '', role = '']) => ({ by, key, client, role }),
  );
  const [, issuing] = new RegExp(ISSUING_CA).test(subject) ? subject.split(' ') : [];
  const ours = config.includes(`  acl own_ca ssl_c_i_dn(cn) -m str -- ${quoted(subject)}\n`);
  // Of one of our CAs: whether it signed their certificates itself or their issuing CAs.
  const known = entries.filter(({ by, key }) => ours || (by === 'issuer' && key === issuing));
  if (ours || known.length > 0)
    return [...new Map(known.map(({ client, role }) => [client, { client, role }])).values()];
  // A client of ours without a line was revoked.
  if (issuing !== undefined) return [];
  const [, others] = /set-var\(txn\.role\) "str\('([a-z0-9-]+)'\)" if !known/.exec(config) ?? [];
  return others === undefined ? [] : [{ role: others }];
}
