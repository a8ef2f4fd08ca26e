/** Commands that run code from the network unseen, and those that switch verification off. */

import { pieces } from './secrets.ts';

const FETCH = /(?:^|[\s(`/!])(?:curl|wget|aria2c)(?=\s)/;
const VERIFIED = /\b(?:sha\d+sum|shasum|b2sum|md5sum|gpgv?|cosign|minisign|slsa-verifier|openssl\s+dgst|sqv?)\b/;
const SUBSTITUTED =
  /(?:\beval|\bsource|(?:^|[\s;&|(])\.|\b(?:ba|da|z|k|a)?sh|\bpython[\d.]*|\bperl|\bnode|\bruby|\bphp)\s+(?:-\S+\s+){0,8}(?:<\(|\$\(|`)\s*(?:sudo\s+)?(?:curl|wget)\s/;
const PREFIX = /^(?:(?:sudo|env|exec|nohup|command|time|doas)(?:\s+-\S+)*\s+|[A-Za-z_]\w*=\S*\s+)*/;
const INTERPRETER =
  /^(?:\/\S*\/)?((?:ba|da|z|k|a|c)?sh|python[\d.]*|perl|node|nodejs|ruby|php|bun|lua|pwsh)(?=\s|$)(.*)$/s;

/** A way in which the command runs what it fetched; undefined: none found. */
export function networkCode(command: string): string | undefined {
  for (const piece of pieces(command)) {
    const found = networkCodeIn(piece);
    if (found !== undefined) return found;
  }
  return undefined;
}

function networkCodeIn(command: string): string | undefined {
  const bare = unquoted(command);
  if (SUBSTITUTED.test(bare)) return 'runs what curl or wget fetched';
  for (const pipeline of bare.split(/&&|\|\||[;\n]/)) {
    const steps = pipeline.split('|').map((step) => step.trim());
    const fetched = steps.findIndex((step) => FETCH.test(step));
    if (fetched >= 0 && steps.slice(fetched + 1).some(runsItsInput)) return 'runs what curl or wget fetched';
  }
  if (VERIFIED.test(bare)) return undefined;
  const file = fetchedFiles(bare).find((name) => runs(bare, name));
  return file === undefined ? undefined : `runs ${file}, fetched without a checksum or signature`;
}

/** Without quotes, and without the punctuation of the JSON form. */
function unquoted(command: string): string {
  return command
    .replace(/\\\n/g, ' ')
    .replace(/["']\s*,\s*["']/g, ' ')
    .replace(/["'[\]{}]/g, ' ');
}

/** An interpreter whose program is its standard input: with a program in its arguments, that is data. */
function runsItsInput(step: string): boolean {
  const [, name = '', rest = ''] = INTERPRETER.exec(step.replace(PREFIX, '')) ?? [];
  if (name === '') return false;
  const words = rest
    .replace(/\)\s*$/, '')
    .split(/\s+/)
    .filter((word) => word !== '');
  const options = words.slice(
    0,
    Math.max(
      0,
      words.findIndex((word) => !word.startsWith('-') || word === '-'),
    ),
  );
  const isShell = name.endsWith('sh') && name !== 'pwsh';
  if (isShell && words.some((word) => /^-[a-z]*s/.test(word))) return true;
  if (
    (words.length === options.length ? words : options).some((word) =>
      (isShell ? /^-[a-z]*c/ : /^-[-a-zA-Z]*[cmepnrl]/).test(word),
    )
  )
    return false;
  const argument = words.find((word) => !/^-./.test(word) && !/^\d*[<>]/.test(word));
  return argument === undefined || argument === '-' || argument === '/dev/stdin';
}

/** Names of files that curl and wget write. */
function fetchedFiles(bare: string): readonly string[] {
  return bare.split(/&&|\|\||[;\n|]/).flatMap((step) => {
    if (!FETCH.test(step)) return [];
    const named = /\s(?:-[A-Za-z]*[oO]|--output(?:-document)?)(?:\s+|=)(?!https?:|-)(\S+)/.exec(step)?.[1];
    const redirected = /(?<!\d)>\s*(\S+)/.exec(step)?.[1];
    const address = /\bhttps?:\/\/\S+/.exec(step)?.[0].replace(/[?#].*$/, '');
    const ownName = /\bwget\b|\s-[A-Za-z]*O\b|--remote-name/.test(step) ? address?.split('/').at(-1) : undefined;
    return [named ?? redirected ?? ownName ?? ''].filter((name) => /^[\w./~$-]*\w$/.test(name));
  });
}

/** Starts the file, or hands it to an interpreter. */
function runs(bare: string, file: string): boolean {
  const name = file.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  const start = String.raw`(?:^|&&|\|\||[;\n|(])\s*(?:(?:sudo|env|exec|yes|then|do)\s+(?:-\S+\s+)*|[A-Za-z_]\w*=\S*\s+)*`;
  const interpreter = String.raw`(?:(?:/\S*/)?(?:(?:ba|da|z|k|a)?sh|python[\d.]*|perl|node|ruby|php|source|\.)\s+(?:-\S+\s+)*)`;
  return new RegExp(
    `${start}(?:${interpreter}(?:\\./)?${name}|${file.includes('/') ? name : `\\./${name}`})(?=$|[\\s;&|)])`,
  ).test(bare);
}

/** An address on this machine itself, which needs no verification. */
const LOOPBACK = /https?:\/\/(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?=[:/\s"']|$)/;

const UNVERIFIED: readonly (readonly [RegExp, string])[] = [
  [/\bcurl\b[^;&|]{0,400}?\s-[fsSLvgjiIlqnJRp#0-9]*k[A-Za-z]*(?=\s|$)/, 'curl -k'],
  [/\bcurl\b[^;&|]{0,400}?\s--(?:proxy-)?insecure(?=\s|$)/, 'curl --insecure'],
  [/\binsecure\b[^;&|]{0,200}>+\s*\S*\.?curlrc/, 'insecure in .curlrc'],
  [/\s--no-check-certificate(?=\s|$)/, 'wget --no-check-certificate'],
  [/\bcheck[-_]certificate\s*=\s*off/i, 'check_certificate = off (wget)'],
  [/\s--trusted-host(?=[\s=])|\bpip\d*\s+config\s+set\s+\S*trusted-host/, 'pip --trusted-host'],
  [/\s--(?:extra-)?index-url[\s=]+http:\/\//, 'pip --index-url over plain HTTP'],
  [/\bstrict-ssl[\s=]+false|--no-strict-ssl|\benableStrictSsl[\s:=]+false/i, 'strict-ssl false (npm, yarn)'],
  [/\bsslVerify[\s=]+(?:false|0)\b/i, 'sslVerify false (git)'],
  [/\s--(?:allow-unauthenticated|force-yes|allow-insecure-repositories)(?=\s|$)/, 'apt without signatures'],
  [/\[[^\][]{0,200}\btrusted=yes\b[^\]]{0,200}\]|^\s*Trusted:\s*yes/im, '[trusted=yes] (apt)'],
  [/AllowUnauthenticated\W+(?:true|1|yes)|AllowInsecureRepositories\W+(?:true|1|yes)/i, 'apt without signatures'],
  [/Acquire::https?:[^;\n]{0,100}Verify-(?:Peer|Host)\W+(?:false|0|no)/i, 'Verify-Peer false (apt)'],
  [/\s--(?:nogpgcheck|no-gpg-checks?)(?=\s|$)/, 'packages without signatures (--nogpgcheck)'],
  [/\bgpgcheck\s*=\s*(?:0|false|no)\b/i, 'gpgcheck=0'],
  [/\bsslverify\s*=\s*(?:0|false|no)\b/i, 'sslverify=0'],
  [/\brpm\b[^;&|]{0,400}\s--no(?:signature|digest)\b/, 'rpm --nosignature'],
  [/\bapk\b[^;&|]*\s--allow-untrusted\b/, 'apk --allow-untrusted'],
  [/\bSigLevel\s*=\s*Never\b/i, 'SigLevel = Never (pacman)'],
  [/\bssl_verify(?:_mode)?[\s:=]+(?:0|false|no)\b/i, 'ssl_verify false'],
  [/\bdisable-tls[\s=]+true|\bsecure-http[\s=]+false/i, 'disable-tls (composer)'],
  [/\bStrictHostKeyChecking[\s=]+(?:no|off)\b/i, 'StrictHostKeyChecking no (ssh)'],
  [/\s--(?:insecure-skip-tls-verify|no-verify-ssl|skip-tls-verify)(?!=false)\b/, 'TLS verification skipped'],
  [/\s--tls-verify=false\b|\s--(?:src|dest)-tls-verify=false\b/, '--tls-verify=false'],
  [/-Dmaven\.wagon\.http\.ssl\.(?:insecure|allowall)=true/, 'maven.wagon.http.ssl.insecure'],
];

const UNVERIFIED_VARIABLES: readonly (readonly [RegExp, RegExp])[] = [
  [/^(?:NODE_TLS_REJECT_UNAUTHORIZED|PYTHONHTTPSVERIFY)$/, /^0$/],
  [/^(?:GIT_SSL_NO_VERIFY|GIT_SSL_NOVERIFY)$/, /^(?:1|true|yes|on)$/i],
  [/^(?:NPM_CONFIG_STRICT_SSL|YARN_STRICT_SSL|YARN_ENABLE_STRICT_SSL|CONDA_SSL_VERIFY)$/i, /^(?:0|false|no|off)$/i],
  [/^ANSIBLE_HOST_KEY_CHECKING$/, /^(?:0|false|no|off)$/i],
  [/^(?:BUNDLE_SSL_VERIFY_MODE)$/, /^0$/],
  [/^(?:PIP_TRUSTED_HOST|UV_INSECURE_HOST|GOINSECURE)$/, /\S/],
  [/^GOSUMDB$/, /^off$/],
];

/** What the command does not verify. */
export function unverified(command: string): readonly string[] {
  return [...new Set(pieces(command).flatMap(unverifiedIn))];
}

function unverifiedIn(text: string): readonly string[] {
  const bare = unquoted(text)
    .split(/&&|\|\||[;\n]/)
    .filter((step) => !LOOPBACK.test(step))
    .join('\n');
  const found = UNVERIFIED.filter(([pattern]) => pattern.test(pattern.source.includes('trusted=yes') ? text : bare));
  const variables = [...bare.matchAll(/(?:^|[\s;])([A-Za-z_]\w*)=(\S*)/g)].flatMap(([, name = '', value = '']) =>
    unverifiedVariable(name, value),
  );
  return [...found.map(([, words]) => words), ...variables];
}

export function unverifiedVariable(name: string, value: string): readonly string[] {
  const bare = value.replace(/^(["'])(.*)\1$/s, '$2');
  return UNVERIFIED_VARIABLES.some(([names, values]) => names.test(name) && values.test(bare))
    ? [`${name}=${bare}`]
    : [];
}
