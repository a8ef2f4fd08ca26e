/**
 * Check at each start that daemon.json still has our TLS settings, for hosts that name the port in another file. If configuration
 * management restored its own daemon.json, dockerd would serve the port over plain HTTP.
 */

import { unitWord } from './unit.ts';

/** Both occur in a daemon.json without blanks. Text within a string cannot match, since its quotes are escaped with backslashes. */
export function settingPatterns(trust: string): string[] {
  return ['"tlsverify":true', `"tlscacert":${JSON.stringify(trust)}`];
}

export const missingSettings = (effect: string): string =>
  `has no TLS settings of docker-tls: ${effect}. Run: docker-tls apply HOST`;

/** For `ExecStartPre=`: fails if the settings are missing. `trust`: the path of our trust file. */
export function renderUnitGuard(configFile: string, trust: string): string {
  const script = [
    'file=$$1; shift; for word; do case $$(tr -d "[:space:]" <"$$file") in *"$$word"*) ;;',
    `*) echo "$$file ${missingSettings('dockerd does not start, since it would serve the TLS port without TLS')}" >&2; exit 1 ;; esac; done`,
  ].join(' ');
  return `/bin/sh -c '${script}' docker-tls ${[configFile, ...settingPatterns(trust)].map(unitWord).join(' ')}`;
}
