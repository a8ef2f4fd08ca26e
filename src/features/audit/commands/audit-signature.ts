/** Signatures of reports: the key of --sign, and --check-signature. */

import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { CommandResult } from '../../../cli/command.ts';
import type { ActionContext } from '../../../core/actions/action-context.ts';
import { storeOf } from '../../../core/actions/open-store.ts';
import { fingerprintOf } from '../../../core/domain/pki/ssh-wire.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { LARGEST_FILE, readFileOrPipe, whyNotRead } from '../../../core/named-file.ts';
import type { StoreOperators } from '../../../core/seams/store-operators.ts';
import { homeDirectory } from '../../../core/user.ts';
import { DockerTlsError, printable, usage } from '../../../errors/errors.ts';
import { saveReport } from '../adapters/report-file.ts';
import { openSigningKey } from '../adapters/signing-key.ts';
import { armored } from '../domain/detached-signature.ts';
import { checkDetached, NAMESPACE } from '../domain/signatures.ts';

/** A report with a signature that holds. */
export type SignatureDocument = {
  /** The signed report. */
  readonly file: string;
  /** Principals of the signer, from the file of allowed signers; or the operator of the shared store. */
  readonly signer: string;
  /** Fingerprint of the signer's key. */
  readonly key: string;
  /** The file of allowed signers, or the address of the shared store. */
  readonly signers: string;
  /** If it is no longer an operator's key (--accept-removed): when it was removed. The report says that it is older. */
  readonly removedAt?: Date;
  /** The date in the report, if the key was removed: the signer's word. */
  readonly createdAt?: Date;
};

/** A key that signs a report: of a file, or of an operator, which may be in an agent. */
type ReportKey = { readonly fingerprint: string; sign(message: Buffer): string | Promise<string> };

type SignOptions = { readonly sign?: string | undefined; readonly out?: string | undefined };

/** Opens the key of --sign before the audit, so that a passphrase is asked at the beginning. Fails with E_USAGE, E_AUDIT_SIGNER. */
export async function signingKey(context: ActionContext, { sign, out }: SignOptions): Promise<ReportKey | undefined> {
  if (sign === undefined) return undefined;
  if (out === undefined || out === '-')
    throw usage('--sign signs a file, and needs --out FILE', ['docker-tls audit --out report.json --sign KEY']);
  if (sign === '') return operatorKey(context);
  const file = resolve(context.runtime.cwd, sign);
  if (!existsSync(file)) await refuseHostAsKey(context, sign);
  return openSigningKey(file, context.prompts.ssh?.passphrase);
}

/** `--sign build-1`: the word behind an option that may stand alone is its value. */
async function refuseHostAsKey(context: ActionContext, sign: string): Promise<void> {
  const known = await storeOf(context)
    .read()
    .catch(() => undefined);
  if (known?.hosts.has(sign))
    throw usage(`--sign takes ${sign} for its KEY, and that is no file but a host`, [
      context.again({ host: sign, option: '--sign' }),
    ]);
}

type SignedReport = { readonly signature?: string; readonly unsigned?: DockerTlsError };

/** Writes the signature of a saved report. If the key does not sign now, as one in an agent, the report stays unsigned. Fails with E_AUDIT_OUT. */
export async function signReport(
  key: ReportKey,
  { saved, text }: { readonly saved: string; readonly text: string },
  { cwd, signal }: { readonly cwd: string; readonly signal: AbortSignal },
): Promise<SignedReport> {
  let made: string;
  try {
    made = await key.sign(Buffer.from(text));
  } catch (cause) {
    if (signal.aborted || !(cause instanceof DockerTlsError)) throw cause;
    const { hints } = cause;
    const why = `the report is unsigned: ${cause.message}`;
    return { unsigned: new DockerTlsError('E_AUDIT_SIGNER', why, { where: saved, hints, cause }) };
  }
  return { signature: await saveReport(`${saved}.sig`, cwd, made) };
}

/** This user's key of the shared store. */
async function operatorKey(context: ActionContext): Promise<ReportKey> {
  const operators = await storeOf(context).operators();
  if (operators === undefined)
    throw usage('--sign without KEY signs with your key of a shared store, and this store is a directory', [
      'docker-tls audit --out report.json --sign KEY',
    ]);
  const { publicKey, sign } = await operators.ownKey();
  return {
    fingerprint: fingerprintOf(publicKey),
    sign: async (message) => armored(await sign(message, NAMESPACE)),
  };
}

const OF_AUDITS = [
  ...[
    'compose',
    'dockerfile',
    'lynis',
    'probeContainers',
    'probeAuditd',
    'check',
    'benchmark',
    'level',
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

type CheckOptions = { readonly signers?: string | undefined; readonly acceptRemoved: boolean };
type CheckContext = ActionContext & { readonly options: CheckOptions };

/**
 * Checks FILE.sig, and that its key is an allowed signer: by the file of --signers, else by the shared store, else by the user's own file.
 * Fails with E_AUDIT_FILE (exit 2), E_AUDIT_SIGNATURE (exit 3), and as a read of the store does.
 */
export async function checkedSignature(context: CheckContext, named: string): Promise<SignatureDocument> {
  const { runtime, options } = context;
  const file = resolve(runtime.cwd, named);
  const message = await bytesOf(file);
  const checked = checkDetached(message, (await bytesOf(`${file}.sig`)).toString('latin1'));
  if ('problem' in checked) throw refused(file, `the signature does not hold: ${checked.problem}`);
  const operators = options.signers === undefined ? await storeOf(context).operators() : undefined;
  const { key } = checked;
  if (operators !== undefined) {
    const { signer, signers, removedAt, createdAt } = await operatorOf(operators, file, message, checked);
    const accepted = { file, signer, key, signers };
    if (removedAt === undefined || createdAt === undefined) return accepted;
    if (options.acceptRemoved) return { ...accepted, removedAt, createdAt };
    throw refused(
      file,
      `the key ${key} of ${signer} was removed from ${signers} on ${stamp(removedAt)}. The report says that it is from ${stamp(createdAt)}, before that; only the signer vouches for this date`,
      [`docker-tls audit --check-signature ${shellQuote(named)} --accept-removed`],
    );
  }
  const signers = resolve(runtime.cwd, options.signers ?? join(homeDirectory(runtime.env), '.ssh', 'allowed_signers'));
  const allowed = (await bytesOf(signers)).toString('utf8');
  const { allowedSigner } = await import('../domain/allowed-signers.ts');
  const signer = allowedSigner(allowed, checked.publicKey, runtime.now());
  if (signer === undefined)
    throw refused(file, `the key ${key} made the signature, and ${signers} does not allow it to`, [
      `ssh-keygen -l -f ${shellQuote(signers)}`,
    ]);
  return { file, signer, key, signers };
}

/**
 * The operator of the shared store who signed; also a removed one, of a report that says that it is from before the removal. Nothing but the
 * signer's word dates a signature.
 */
async function operatorOf(
  operators: StoreOperators,
  file: string,
  message: Buffer,
  { publicKey, key }: { readonly publicKey: Buffer; readonly key: string },
): Promise<Pick<SignatureDocument, 'signer' | 'signers' | 'removedAt' | 'createdAt'>> {
  const signers = operators.url;
  const owner = await operators.whose(publicKey);
  const hints = ['docker-tls operator list'];
  if (owner === undefined)
    throw refused(file, `the key ${key} made the signature, and no operator of ${signers} has it`, hints);
  const { name: signer, current, past } = owner;
  if (current) return { signer, signers };
  const removed = `the key ${key} made the signature, and it is no longer that of ${signer}, an operator of ${signers}`;
  const createdAt = dateOf(message);
  if (createdAt === undefined)
    throw refused(file, `${removed}: only a report in JSON says whether it is from before the removal`, hints);
  const time = past.find(({ from, until }) => from <= createdAt && createdAt < until);
  if (time !== undefined) return { signer, signers, removedAt: time.until, createdAt };
  const known = past.map(({ from, until }) => `${stamp(from)} to ${stamp(until)}`).join(', ');
  const when = known === '' ? 'the store does not tell since when' : `it was from ${known}`;
  throw refused(file, `${removed}: ${when}, and the report is of ${stamp(createdAt)}`, hints);
}

/** When a report in JSON was made. */
function dateOf(message: Buffer): Date | undefined {
  try {
    const { createdAt } = JSON.parse(message.toString('utf8'));
    const date = new Date(typeof createdAt === 'string' ? createdAt : Number.NaN);
    return Number.isNaN(date.getTime()) ? undefined : date;
  } catch {
    return undefined;
  }
}

function stamp(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

export function renderSignature(result: SignatureDocument): CommandResult<SignatureDocument> {
  const { file, signer, key, removedAt, createdAt } = result;
  const lines = [`${file}: signed by ${printable(signer)} with the key ${key}`];
  if (removedAt !== undefined && createdAt !== undefined)
    lines.push(
      `This key was removed from the shared store on ${stamp(removedAt)}. The report says that it is from ${stamp(createdAt)}, before that.`,
      'Only the signer vouches for this date.',
    );
  return { exit: 0, result, text: lines.join('\n') };
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
