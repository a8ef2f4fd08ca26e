/** Server keys made on the host: it sends a certificate signing request (CSR), and its key never leaves it. */

import type { HostFacts } from '../domain/plan/facts.ts';
import type { HostSpec } from '../domain/settings.ts';
import type { HostProgress, HostSession, Runtime } from '../runtime.ts';
import { noFeature, seam } from './seam.ts';

export type HostCsr = {
  /**
   * Makes the host create its key and a signing request, and passes the public key to `work`, with the key's path there. It is gone once `work`
   * has ended. Fails with E_HOST_KEY (exit 4).
   */
  withHostKey<T>(
    host: { readonly spec: HostSpec; readonly session: HostSession; readonly facts: HostFacts },
    runtime: Pick<Runtime, 'signal'>,
    progress: HostProgress,
    work: (key: { readonly publicKey: string; readonly path: string }) => Promise<T>,
  ): Promise<T>;
};

export const HOST_CSR = seam<{ load(): Promise<HostCsr> }>();

/** For a host whose settings leave its key there. Fails with E_NO_FEATURE (exit 4): a key made here would replace it unasked. */
export async function hostCsr(host: string): Promise<HostCsr> {
  const code = await HOST_CSR.all[0]?.load();
  if (code !== undefined) return code;
  throw noFeature(host, 'its key is made on the host and stays there; this build of docker-tls has no code for that');
}
