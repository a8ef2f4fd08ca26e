/** Signatures of reports: the key of --sign, and --check-signature. */

import { join, resolve } from 'node:path';
import type { CommandResult } from '../../../cli/command.ts';
import type { ActionContext } from '../../../core/actions/action-context.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { LARGEST_FILE, readFileOrPipe, whyNotRead } from '../../../core/named-file.ts';
import { homeDirectory } from '../../../core/user.ts';
import { DockerTlsError, printable, usage } from '../../../errors/errors.ts';
import { openSigningKey, type SigningKey } from '../adapters/signing-key.ts';
import { checkDetached, NAMESPACE } from '../domain/signatures.ts';

/** A report with a signature that holds. */
export type SignatureDocument = {
  /** The signed report. */
  readonly file: string;
  /** Principals of the signer, from the file of allowed signers. */
  readonly signer: string;
  /** Fingerprint of the signer's key. */
  readonly key: string;
  /** The file of allowed signers. */
  readonly signers: string;
};

type SignOptions = { readonly sign?: string | undefined; readonly out?: string | undefined };

/** Opens the key of --sign before the audit, so that a passphrase is asked at the beginning. Fails with E_USAGE, E_AUDIT_SIGNER. */
export async function signingKey(
  { prompts, runtime }: ActionContext,
  { sign, out }: SignOptions,
): Promise<SigningKey | undefined> {
  if (sign === undefined) return undefined;
  if (out === undefined || out === '-')
    throw usage('--sign signs a file, and needs --out FILE', ['docker-tls audit --out report.json --sign KEY']);
  return openSigningKey(resolve(runtime.cwd, sign), prompts.ssh?.passphrase);
}

const OF_AUDITS = [
  ...[
    'compose',
    'dockerfile',
    'lynis',
   
    'check',
    'benchmark',
    'format',
    'out',
    'failOn',
    'baseline',
    'vulnerabilities',
  ],
  ...['vulnerabilitiesSha256', 'writeBaseline', 'reason', 'expires', 'sign', 'compare', 'inventory', 'limit'],
];

/** --check-signature audits nothing: with a host, or with --fail-on, it would pass what was never looked at. */
export function refuseMoreThanSignature(hosts: readonly string[], options: Readonly<Record<string, unknown>>): void {
  const given = OF_AUDITS.map((name) => options[name]).filter((value) => value !== undefined && value !== false);
  if (hosts.length > 0 || given.some((value) => !Array.isArray(value) || value.length > 0))
    throw usage('--check-signature checks one file, and audits nothing: no HOST, no option of an audit', [
      `docker-tls audit --check-signature ${shellQuote(String(options.checkSignature))}`,
    ]);
}

type CheckContext = ActionContext & { readonly options: { readonly signers?: string | undefined } };

/** Checks FILE.sig, and that its key is an allowed signer. Fails with E_AUDIT_FILE (exit 2), E_AUDIT_SIGNATURE (exit 3). */
export async function checkedSignature({ runtime, options }: CheckContext, named: string): Promise<SignatureDocument> {
  const file = resolve(runtime.cwd, named);
  const signers =
    options.signers === undefined
      ? join(homeDirectory(runtime.env), '.ssh', 'allowed_signers')
      : resolve(runtime.cwd, options.signers);
  const message = await bytesOf(file);
  const checked = checkDetached(message, (await bytesOf(`${file}.sig`)).toString('latin1'));
  if ('problem' in checked) throw refused(file, `the signature does not hold: ${checked.problem}`);
  const { key } = checked;
  const allowed = (await bytesOf(signers)).toString('utf8');
  const { allowedSigner } = await import('../domain/allowed-signers.ts');
  const signer = allowedSigner(allowed, checked.publicKey, runtime.now());
  if (signer === undefined)
    throw refused(file, `the key ${key} made the signature, and ${signers} does not allow it to`, [
      `ssh-keygen -l -f ${shellQuote(signers)}`,
    ]);
  return { file, signer, key, signers };
}

export function renderSignature(result: SignatureDocument): CommandResult<SignatureDocument> {
  return { exit: 0, result, text: `${result.file}: signed by ${printable(result.signer)} with the key ${result.key}` };
}

async function bytesOf(path: string): Promise<Buffer> {
  return readFileOrPipe(path, LARGEST_FILE).catch((cause) => {
    throw new DockerTlsError('E_AUDIT_FILE', `the file cannot be read: ${whyNotRead(cause)}`, {
      where: path,
      hints: [`ls -l ${shellQuote(path)}`],
    });
  });
}

function refused(file: string, why: string, hints: readonly string[] = []): DockerTlsError {
  const again = `ssh-keygen -Y check-novalidate -n ${NAMESPACE} -s ${shellQuote(`${file}.sig`)} < ${shellQuote(file)}`;
  return new DockerTlsError('E_AUDIT_SIGNATURE', printable(why, 500), { where: file, hints: [...hints, again] });
}
