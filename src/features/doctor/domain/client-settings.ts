/**
 * This machine's own settings in `doctor`: the endpoint that the docker CLI uses, against the expected one. docker's rules (docker/cli,
 * cli/command): DOCKER_HOST overrides DOCKER_CONTEXT, and that overrides the current context. Pure.
 */

import { fieldsOf, parseJson } from '../../../core/domain/json.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { type Diagnosis, type DiagnosisInput, ours, verdict } from './diagnosis.ts';

/** The first setting that points docker to another host or omits the right credentials; `versionBody` is the daemon's answer to /version. */
export function settingsFault(input: DiagnosisInput, versionBody: string): Diagnosis | undefined {
  const byHost = (input.env.DOCKER_HOST ?? '') !== '';
  return (byHost ? hostFault(input) : contextFault(input)) ?? apiVersionFault(input, versionBody);
}

function hostFault({ env, expected }: DiagnosisInput): Diagnosis | undefined {
  const host = env.DOCKER_HOST ?? '';
  const takeOver = `eval "$(${ours('env', expected)})"`;
  if (plain(host) !== plain(expected.host)) {
    const over = expected.context === undefined ? '' : `, which beats every context, ${expected.context} too`;
    const message = `the environment variable DOCKER_HOST is ${host}${over}, so docker does not go to ${expected.host}`;
    const unset = expected.context === undefined ? [] : ['unset DOCKER_HOST DOCKER_TLS_VERIFY DOCKER_CERT_PATH'];
    return verdict('host-overridden', message, ...unset, takeOver);
  }
  // DOCKER_TLS also turns TLS on, but does not verify the host.
  if ((env.DOCKER_TLS_VERIFY ?? '') === '' && (env.DOCKER_TLS ?? '') === '') {
    const message = `DOCKER_HOST is right, but DOCKER_TLS_VERIFY is not set, so docker speaks plain HTTP to a port that wants TLS`;
    return verdict('tls-off', message, 'export DOCKER_TLS_VERIFY=1', takeOver);
  }
  const certPath = env.DOCKER_CERT_PATH || env.DOCKER_CONFIG || `${env.HOME || '~'}/.docker`;
  if (directory(certPath) !== directory(expected.certPath)) {
    const which = env.DOCKER_CERT_PATH
      ? `DOCKER_CERT_PATH is ${certPath}`
      : `DOCKER_CERT_PATH is not set, so docker looks into ${certPath}`;
    const message = `${which}, and this client's credentials are in ${expected.certPath}`;
    return verdict('cert-path', message, `export DOCKER_CERT_PATH=${shellQuote(expected.certPath)}`, takeOver);
  }
  return undefined;
}

function contextFault({ env, expected, currentContext }: DiagnosisInput): Diagnosis | undefined {
  const byVariable = env.DOCKER_CONTEXT || undefined;
  const context = byVariable ?? currentContext;
  if (context !== undefined && context !== 'default' && context === expected.context) return undefined;
  const takeOver = `eval "$(${ours('env', expected)})"`;
  const use =
    expected.context === undefined ? [takeOver] : [`docker context use ${shellQuote(expected.context)}`, takeOver];
  if (byVariable !== undefined) {
    const message = `the environment variable DOCKER_CONTEXT is ${byVariable}, and beats the current context, so docker does not go to ${expected.host}`;
    return verdict('context-overridden', message, 'unset DOCKER_CONTEXT', ...use);
  }
  if ((context === undefined || context === 'default') && (env.DOCKER_TLS_VERIFY ?? '') !== '') {
    const value = env.DOCKER_TLS_VERIFY ?? '';
    const surprise = /^(?:0|false|no|off)$/i.test(value)
      ? ` (any value does, ${value} too; only an empty one does not)`
      : '';
    const message = `DOCKER_TLS_VERIFY=${value} turns TLS on${surprise}, and with no DOCKER_HOST docker then goes to tcp://localhost:2376`;
    return verdict('tls-verify-alone', message, 'unset DOCKER_TLS_VERIFY', ...use);
  }
  return undefined;
}

/** Docker uses another context now, or none: not a fault of the host, and reported next to the verdict. */
export function otherContext({
  env,
  expected,
  currentContext,
}: DiagnosisInput): Pick<Diagnosis, 'hints' | 'note'> | undefined {
  const context = currentContext ?? 'default';
  if ((env.DOCKER_HOST ?? '') !== '' || (env.DOCKER_CONTEXT ?? '') !== '' || context === expected.context)
    return undefined;
  return {
    note: `docker on this machine uses the context ${context} now`,
    hints:
      expected.context === undefined
        ? [`eval "$(${ours('env', expected)})"`]
        : [
            `docker --context ${shellQuote(expected.context)} version`,
            `docker context use ${shellQuote(expected.context)}`,
          ],
  };
}

/** A daemon accepts a range of API versions, listed in `/version`; DOCKER_API_VERSION pins docker's. */
export function apiVersionFault(
  { env, expected, cliApiVersion: cli }: DiagnosisInput,
  versionBody: string,
): Diagnosis | undefined {
  const pinned = env.DOCKER_API_VERSION || undefined;
  const { ApiVersion: most, MinAPIVersion: least } = fieldsOf(parseJson(versionBody));
  if (pinned === undefined && cli !== undefined && typeof least === 'string' && compare(cli, least) < 0)
    return verdict(
      'api-version',
      `the docker command of this computer speaks version ${cli} of the API at most; the daemon of ${expected.host} wants ${least} or newer${least === OLDEST_29_0 ? ` (Docker 29.0 to 29.2; from 29.3 on ${OLDEST_29_3} will do)` : ''}: install a newer docker command here`,
      'docker --version',
    );
  const oldest = oldestOf(cli);
  if (pinned === undefined && oldest !== undefined && typeof most === 'string' && compare(most, oldest) < 0)
    return verdict(
      'api-version',
      `the docker command of this computer speaks version ${oldest} of the API or newer (Docker 29); the daemon of ${expected.host} speaks ${most} at most: upgrade Docker on the host${oldest === OLDEST_29_0 ? `, or install docker 29.3 or newer here (it speaks ${OLDEST_29_3})` : ''}`,
      'docker --version',
    );
  if (pinned === undefined) return undefined;
  const outside =
    typeof least === 'string' && compare(pinned, least) < 0
      ? `older than ${least}, the oldest that the daemon of ${expected.host} speaks`
      : typeof most === 'string' && compare(pinned, most) > 0
        ? `newer than ${most}, the newest that the daemon of ${expected.host} speaks`
        : undefined;
  if (outside === undefined) return undefined;
  const message = `the environment variable DOCKER_API_VERSION is ${pinned}: ${outside}`;
  return verdict('api-version', message, 'unset DOCKER_API_VERSION');
}

/**
 * The oldest API version of Docker 29, as a client and, by default, as a daemon: up to 29.2, and since 29.3 (moby: client.MinAPIVersion,
 * defaultMinAPIVersion).
 */
const OLDEST_29_0 = '1.44';
const OLDEST_29_3 = '1.40';

/** The oldest API version of a docker command, by its newest: 1.52 is 29.0 and 29.1, 1.53 is 29.2, 1.54 is 29.3. */
function oldestOf(newest: string | undefined): string | undefined {
  if (newest === undefined || compare(newest, '1.52') < 0) return undefined;
  return compare(newest, '1.54') < 0 ? OLDEST_29_0 : OLDEST_29_3;
}

/** Negative if `a` is older; versions are `1.41`. Anything else equals everything. */
function compare(a: string, b: string): number {
  const [first, second] = [a, b].map((text) => /^v?([0-9]{1,5})\.([0-9]{1,5})$/.exec(text)?.slice(1).map(Number));
  if (first === undefined || second === undefined) return 0;
  return (first[0] ?? 0) - (second[0] ?? 0) || (first[1] ?? 0) - (second[1] ?? 0);
}

function plain(host: string): string {
  return host.trim().replace(/\/+$/, '').toLowerCase();
}

function directory(path: string): string {
  return path.replace(/[\\/]+/g, '/').replace(/\/$/, '');
}
