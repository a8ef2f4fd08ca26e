/** The newest release of docker-tls, asked for only by `version --check`. */

import { DockerTlsError, printable } from '../../errors/errors.ts';
import { fieldsOf, parseJson } from '../domain/json.ts';

/** Releases of the repository that package.json names. */
export const RELEASES = 'https://api.github.com/repos/docker-tls/docker-tls/releases/latest';

const LIMIT_MS = 20_000;

export type NewerVersion = {
  readonly newest: string;
  readonly outdated: boolean;
};

/** Throws E_RELEASES where the answer is not a release. Nothing about this computer is sent. */
export async function newerVersion(own: string, url: string, signal: AbortSignal): Promise<NewerVersion> {
  const newest = await latestRelease(url, signal);
  return { newest, outdated: isNewer(newest, own) };
}

async function latestRelease(url: string, signal: AbortSignal): Promise<string> {
  const failed = (why: string, cause?: unknown): DockerTlsError =>
    new DockerTlsError('E_RELEASES', `${url}: ${why}`, { cause, hints: [`curl -fsS ${url}`] });
  let status: number;
  let text: string;
  try {
    const headers = { accept: 'application/vnd.github+json', 'user-agent': 'docker-tls' };
    const limits = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
    const answer = await fetch(url, { headers, redirect: 'error', signal: limits });
    status = answer.status;
    text = await answer.text();
  } catch (error) {
    signal.throwIfAborted();
    const { code, message } = (error as { cause?: NodeJS.ErrnoException }).cause ?? (error as NodeJS.ErrnoException);
    throw failed(printable(typeof code === 'string' ? code : message, 200), error);
  }
  const tag = fieldsOf(parseJson(text)).tag_name;
  if (status === 404) throw failed('no release is published');
  if (status !== 200 || typeof tag !== 'string' || !/^v\d+\.\d+\.\d+$/.test(tag))
    throw failed(`no release in the answer (status ${status})`);
  return tag.slice(1);
}

function isNewer(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => text.split(/[.-]/).map(Number)) as [number[], number[]];
  const index = [0, 1, 2].find((place) => a[place] !== b[place]);
  // A release follows its own release candidates.
  return index === undefined ? other.includes('-') : (a[index] ?? 0) > (b[index] ?? 0);
}
