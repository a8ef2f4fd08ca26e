/** The newest release of docker-tls, asked for only by `version --check`. */

import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { text as textOf } from 'node:stream/consumers';
import { fieldsOf, parseJson } from '../../../core/domain/json.ts';
import type { NewestVersion } from '../../../core/seams/releases.ts';
import { DockerTlsError, printable } from '../../../errors/errors.ts';

const LIMIT_MS = 20_000;

/**
 * Throws E_RELEASES where the answer is not a release. Nothing about this computer is sent. The server's certificate is from one of the CAs of
 * Node.js, or from `ca`.
 */
export async function newerVersion(own: string, url: string, signal: AbortSignal, ca?: string): Promise<NewestVersion> {
  const newest = await latestRelease(url, signal, ca);
  return { newest, outdated: isNewer(newest, own) };
}

async function latestRelease(url: string, signal: AbortSignal, ca?: string): Promise<string> {
  const failed = (why: string, cause?: unknown): DockerTlsError =>
    new DockerTlsError('E_RELEASES', `${url}: ${why}`, { cause, hints: [`curl -fsS ${url}`] });
  let status: number | undefined;
  let text: string;
  try {
    const headers = { accept: 'application/vnd.github+json', 'user-agent': 'docker-tls' };
    const limits = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
    // Otherwise NODE_TLS_REJECT_UNAUTHORIZED=0 in the environment would decide, as it does for fetch.
    const request = get(url, { headers, signal: limits, agent: false, rejectUnauthorized: true, ca });
    const [answer] = (await once(request, 'response')) as [IncomingMessage];
    status = answer.statusCode;
    text = await textOf(answer);
  } catch (error) {
    signal.throwIfAborted();
    const { code, message } = error as NodeJS.ErrnoException;
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
