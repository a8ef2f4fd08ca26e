/** Check at each start that daemon.json still has our TLS settings, in the settings file of an init script (json-guard.ts has that of units). */

import { missingSettings, settingPatterns } from '../../../core/domain/dockerd/json-guard.ts';
import { shellQuote } from '../../../core/domain/quote.ts';

/** One line for the settings of an init script: runs `line` if the settings exist. */
export function renderScriptGuard(configFile: string, trust: string, line: string): string {
  const file = shellQuote(configFile);
  const [verify = '', ca = ''] = settingPatterns(trust).map(shellQuote);
  return `case $(tr -d '[:space:]' <${file}) in *${verify}*${ca}* | *${ca}*${verify}*) ${line} ;; *) echo ${file} ${shellQuote(missingSettings('dockerd starts without the TLS port'))} >&2 ;; esac`;
}
