/** Server keys that never leave the host: it makes the key and a signing request, and receives a certificate. */

import { randomBytes } from 'node:crypto';
import { installHint } from '../../../core/domain/dockerd/install-hints.ts';
import { parseCsr } from '../../../core/domain/pki/csr.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import type { HostSpec } from '../../../core/domain/settings.ts';
import type { HostCsr } from '../../../core/seams/host-csr.ts';
import { offeredLines } from '../../../core/seams/seam.ts';
import { SETTING_PLACES } from '../../../core/seams/setting-places.ts';
import { DockerTlsError, printableLines } from '../../../errors/errors.ts';

/** How openssl makes a key of each type (openssl-genpkey(1)). */
const GENPKEY: Readonly<Record<HostSpec['keyType'], string>> = {
  p256: '-algorithm EC -pkeyopt ec_paramgen_curve:P-256',
  p384: '-algorithm EC -pkeyopt ec_paramgen_curve:P-384',
  ed25519: '-algorithm ED25519',
  rsa2048: '-algorithm RSA -pkeyopt rsa_keygen_bits:2048',
  rsa3072: '-algorithm RSA -pkeyopt rsa_keygen_bits:3072',
  rsa4096: '-algorithm RSA -pkeyopt rsa_keygen_bits:4096',
};

type Host = Parameters<HostCsr['withHostKey']>[0];

/**
 * As HostCsr.withHostKey. The key is in memory, in a directory that only the daemon's user can access; the change copies it from there into the
 * new generation. The directory is removed however `work` ends, at the latest by the host's next boot.
 */
export const withHostKey: HostCsr['withHostKey'] = async (host, runtime, progress, work) => {
  const { session, facts } = host;
  const directory = `${facts.places.run}/docker-tls-key-${randomBytes(6).toString('hex')}`;
  try {
    progress.phase('key');
    const { publicKey } = parseCsr(await makeKey(host, directory, runtime.signal));
    return await work({ publicKey, path: `${directory}/key.pem` });
  } finally {
    // Without a signal: this also runs after Ctrl-C.
    await session
      .run({ phase: 'clean up', asRoot: true, timeoutMs: 20_000, script: `rm -rf -- ${shellQuote(directory)}` })
      .catch(() => undefined);
  }
};

async function makeKey({ session, spec, facts }: Host, directory: string, signal: AbortSignal): Promise<string> {
  const result = await session.run({
    phase: 'key',
    asRoot: true,
    timeoutMs: 120_000,
    signal,
    script: [
      'umask 077',
      'command -v openssl >/dev/null || { echo "openssl is not installed" >&2; exit 3; }',
      // Remains of interrupted runs.
      `find ${shellQuote(facts.places.run)} -maxdepth 1 -name "docker-tls-key-*" -mmin +60 -exec rm -rf {} + 2>/dev/null`,
      `mkdir -m 0700 ${shellQuote(directory)} || exit 4`,
      `( umask 0377; openssl genpkey ${GENPKEY[spec.keyType]} >${shellQuote(directory)}/key.pem ) || exit 5`,
      `openssl req -new -key ${shellQuote(directory)}/key.pem -subj /CN=${shellQuote(spec.name.slice(0, 64))}`,
    ].join('\n'),
  });
  if (result.status === 0) return result.stdout.toString('utf8');
  throw new DockerTlsError(
    'E_HOST_KEY',
    `the host could not make its key: ${printableLines(result.stderr, 3).join('; ')}`,
    {
      where: spec.name,
      hints: [
        installHint(session.login, facts.distribution, ['openssl']),
        // rotate has no --keys.
        `or let the key be made here: docker-tls setup ${spec.name} --keys store`,
        ...offeredLines(SETTING_PLACES, 'in a fleet file: keys: store'),
      ],
    },
  );
}
