/** Owns server keys that never travel: the host makes its key and a signing request, and gets a certificate back. */

import type { HostSpec } from '../config/spec.ts';
import { STATE } from '../daemon/paths.ts';
import { shellQuote } from '../daemon/quote.ts';
import { DockerTlsError, printableLines } from '../errors.ts';
import { parseCsr } from '../pki/csr.ts';
import type { SanName } from '../pki/names.ts';
import type { Papers } from '../plan/desired.ts';
import type { HostSession } from '../runtime.ts';
import type { RunContext } from './host-run.ts';

/** How openssl makes a key of each type (openssl-genpkey(1)). */
const GENPKEY: Readonly<Record<HostSpec['keyType'], string>> = {
  p256: '-algorithm EC -pkeyopt ec_paramgen_curve:P-256',
  p384: '-algorithm EC -pkeyopt ec_paramgen_curve:P-384',
  ed25519: '-algorithm ED25519',
  rsa2048: '-algorithm RSA -pkeyopt rsa_keygen_bits:2048',
  rsa3072: '-algorithm RSA -pkeyopt rsa_keygen_bits:3072',
  rsa4096: '-algorithm RSA -pkeyopt rsa_keygen_bits:4096',
};

export type HostKeyRequest = {
  readonly spec: HostSpec;
  readonly context: RunContext;
  readonly session: HostSession;
  readonly sans: readonly SanName[];
  readonly ca: string;
  /** The certificate in the store is in force on the host, with its key. */
  readonly onHost: boolean;
};

/**
 * The papers of a host that keeps its key to itself. As long as the certificate in force fits, the key stays; else the host makes a
 * new one in a folder of root's alone, beside the old, which the next change moves into the new generation. E_HOST_KEY when it can't.
 */
export async function hostKey(request: HostKeyRequest): Promise<{ papers: Papers; why: string }> {
  const { spec, context, session, sans, ca, onHost } = request;
  const known = context.state.hosts.get(spec.name);
  const fits = onHost && known !== undefined && known.serverKey === undefined;
  const probe =
    fits && context.forcePapers === undefined
      ? await context.keyring.server(spec, sans, { publicKey: known.serverCert })
      : undefined;
  if (probe !== undefined && !probe.fresh) return { papers: { ca, cert: probe.cert, key: { kind: 'keep' } }, why: '' };
  const folder = `${STATE}/keys`;
  const result = await session.run({
    phase: 'key',
    asRoot: true,
    timeoutMs: 120_000,
    script: [
      'umask 077',
      'command -v openssl >/dev/null || { echo "openssl is not installed" >&2; exit 3; }',
      `mkdir -p -m 0700 ${folder} && rm -f ${folder}/pending.pem || exit 4`,
      `( umask 0377; openssl genpkey ${GENPKEY[spec.keyType]} >${folder}/pending.pem ) || exit 5`,
      `openssl req -new -key ${folder}/pending.pem -subj /CN=${shellQuote(spec.name.slice(0, 64))}`,
    ].join('\n'),
  });
  if (result.status !== 0) {
    throw new DockerTlsError({
      code: 'E_HOST_KEY',
      exit: 4,
      where: spec.name,
      message: `the host could not make its key: ${printableLines(result.stderr, 3).join('; ')}`,
      hints: [`ssh ${spec.name} sudo apt-get install -y openssl`, 'or let the key be made here: --keys store'],
    });
  }
  const csr = parseCsr(result.stdout.toString('utf8'));
  const server = await context.keyring.server(spec, sans, {
    force: 'the host made a new key',
    publicKey: csr.publicKey,
  });
  return {
    papers: { ca, cert: server.cert, key: { kind: 'host', path: `${folder}/pending.pem` } },
    why: 'the host made a new key',
  };
}
