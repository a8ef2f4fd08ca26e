/** The result of `client sign`: the bundle, and how to import it. */

import type { CommandResult } from '../../cli/command.ts';
import { asWritten } from '../../errors/errors.ts';
import { type Signed, unapplied } from '../actions/client-sign.ts';
import { dateWords } from '../domain/words.ts';
import { type Around, renderChange } from './change.ts';

export function renderSigned({ changed, client, commonName, bundle }: Signed, around: Around): CommandResult {
  const rendered = renderChange(changed, around);
  if (changed.planned !== undefined) return { ...rendered, result: { client, ...rendered.result } };
  if (bundle === undefined) {
    const ending = `No certificate was written: a host that must reject ${client} could accept it. Fix the hosts that failed, then run the same command again.`;
    return { ...rendered, text: [rendered.text, ending].join('\n\n') };
  }
  const { expires, hosts, apply, old, out, path } = bundle;
  const result = {
    client,
    expires,
    hosts,
    apply,
    oldCa: old || undefined,
    changed: changed.results.map(({ host }) => host),
    file: path === '-' ? undefined : path,
  };
  if (path === '-') return { exit: 0, result, text: '' };
  const renamed = client === commonName ? '' : ` (the request said ${commonName || 'nothing'})`;
  const lines = [
    ...(rendered.text === '' ? [] : [rendered.text, '']),
    `${path}: certificate for ${client}${renamed}, until ${dateWords(expires)}, without a key`,
    ...(apply.length > 0 ? [unapplied(client, apply)] : []),
    ...(hosts.length === 0
      ? [`No host here accepts ${client}: each has a list of clients that does not name it, or none is set up.`]
      : []),
    ...(old ? ['It is of the old CA, for its hosts do not all accept the new one yet.'] : []),
  ];
  const next = [
    ...(apply.length > 0 ? [`first, here:                 docker-tls apply ${apply.join(' ')}`] : []),
    asWritten(`where the request was made:  docker-tls client import ${out}`),
    ...(old ? ['then sign it once more, after: docker-tls rotate ca'] : []),
  ];
  return { exit: 0, result, text: lines.join('\n'), next };
}
