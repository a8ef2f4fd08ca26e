/** The planned change for a certificate request. Signs nothing. */

import type { StoreState } from '../../../core/adapters/store/records.ts';
import { parseCsr } from '../../../core/domain/pki/csr.ts';
import { isKeyType } from '../../../core/domain/pki/key-types.ts';
import type { ClientSpec } from '../../../core/domain/settings.ts';
import type { CredentialChange } from '../../../core/domain/trust/changes.ts';
import { refuseOther } from '../../../core/domain/trust/client-refusals.ts';
import { newRecord } from '../../../core/domain/trust/clients.ts';
import { clientExists } from './client-exists.ts';

/** A certificate for a request (PEM). Fails with E_CSR…, E_CLIENT_EXISTS, E_CLIENT_EXTERNAL, E_CLIENT_REVOKED (exit 2). */
export function signed({ clients }: Pick<StoreState, 'clients'>, spec: ClientSpec, csr: string, now: Date) {
  const known = clients.get(spec.name);
  if (known !== undefined) refuseOther(known);
  if (known?.key !== undefined) throw clientExists(spec.name, `docker-tls client sign REQUEST --name ${spec.name}-2`);
  const { keyType: found } = parseCsr(csr);
  const hosts = spec.hosts ?? known?.record.hosts;
  const fresh = newRecord({ ...spec, keyType: isKeyType(found) ? found : spec.keyType, hosts } as ClientSpec, now);
  const record = { ...known?.record, ...fresh, createdAt: known?.record.createdAt ?? fresh.createdAt };
  return { kind: 'client', why: known === undefined ? 'new' : 'renewal', record, csr } satisfies CredentialChange;
}
