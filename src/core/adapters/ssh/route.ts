/** The route to a destination: the hops of the ssh2 transport, each resolved separately. */

import { DockerTlsError } from '../../../errors/errors.ts';
import type { SshOptions } from '../../runtime.ts';
import type { Endpoint } from './endpoint.ts';
import { jumpOptions, resolveEndpoint } from './resolve-endpoint.ts';

/** One connection of the route. */
export type Hop = { readonly options: SshOptions; readonly endpoint: Endpoint };

const MOST_HOPS = 8;

/** All hops to the destination, nearest first: jump hosts from the options, or from the ssh config. Errors: E_SSH_CONFIG, E_HOST_NAME. */
export async function route(options: SshOptions, depth = 0): Promise<Hop[]> {
  const endpoint = await resolveEndpoint(options);
  const jumps = options.jump ?? endpoint.jump;
  if (depth > MOST_HOPS || jumps.length > MOST_HOPS) {
    throw new DockerTlsError('E_SSH_CONFIG', `more than ${MOST_HOPS} jump hosts, or a circle of them`, {
      where: options.jumpTo ?? options.host,
      hints: [`ssh -G ${endpoint.alias}`],
    });
  }
  const [first, ...others] = jumps.map((jump) => jumpOptions(options, jump));
  if (first === undefined) return [{ options, endpoint }];
  const hops = await route({ ...first, identities: undefined }, depth + 1);
  for (const other of others) {
    const hop = { ...other, identities: undefined };
    hops.push({ options: hop, endpoint: await resolveEndpoint(hop) });
  }
  // Keys named for the destination may also open the jump hosts: they are tried before the keys of the ssh config.
  const named = (options.identities ?? []).map((file) => ({ file, explicit: false }));
  return [
    ...hops.map((hop) => ({
      ...hop,
      endpoint: { ...hop.endpoint, identities: [...named, ...hop.endpoint.identities] },
    })),
    { options, endpoint },
  ];
}
