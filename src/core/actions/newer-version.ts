/** The newest release of docker-tls, asked for only by `version --check`. */

import { DockerTlsError, printable } from '../../errors/errors.ts';

/** Releases of the repository that package.json names. */
export const RELEASES = 'https://api.github.com/repos/docker-tls/docker-tls/releases/latest';

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
  let answer: Response;
  let body: unknown;
  try {
    const headers = { accept: 'application/vnd.github+json', 'user-agent': 'docker-tls' };
    answer = await fetch(url, { headers, signal: AbortSignal.any([signal, AbortSignal.timeout(20_000)]) });
    body = await answer.json().catch(() => undefined);
  } catch (error) {
    const { code, message } = (error as { cause?: NodeJS.ErrnoException }).cause ?? (error as NodeJS.ErrnoException);
    throw failed(printable(String(code ?? message), 200), error);
  }
  const tag = (body as { tag_name?: unknown } | undefined)?.tag_name;
  if (answer.status === 404) throw failed('no release is published');
  if (!answer.ok || typeof tag !== 'string' || !/^v\d+\.\d+\.\d+$/.test(tag))
    throw failed(`no release in the answer (status ${answer.status})`);
  return tag.slice(1);
}

function isNewer(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => text.split(/[.-]/).map(Number)) as [number[], number[]];
  const index = [0, 1, 2].find((place) => a[place] !== b[place]);
  return index !== undefined && (a[index] ?? 0) > (b[index] ?? 0);
}
