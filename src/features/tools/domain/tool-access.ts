/** Access data of a host for tools, and quoting for each tool's language. Pure. */

import { shellQuote } from '../../../core/domain/quote.ts';

/** Access to one host by one client. No secret: contains only the path of the key. */
export type ToolAccess = {
  /** The host's name in the store. */
  readonly host: string;
  /** Its DOCKER_HOST, `tcp://…:PORT`. */
  readonly endpoint: string;
  readonly client: string;
  /** Directory with ca.pem, cert.pem and key.pem on the tool's machine. */
  readonly directory: string;
  /** docker context of the host, and the command that creates it on that machine. */
  readonly context: { readonly name: string; readonly command: string };
};

export type ToolFiles = { readonly ca: string; readonly cert: string; readonly key: string };

/** The three files. A Windows directory keeps its separator. */
export function toolFiles({ directory }: ToolAccess): ToolFiles {
  const separator = /^[A-Za-z]:\\/.test(directory) ? '\\' : '/';
  const at = (name: string): string => `${directory}${directory.endsWith(separator) ? '' : separator}${name}`;
  return { ca: at('ca.pem'), cert: at('cert.pem'), key: at('key.pem') };
}

/** Command that creates a context for such files without docker-tls. */
export function contextCommand(access: Omit<ToolAccess, 'context'>, name: string): string {
  const { ca, cert, key } = toolFiles(access as ToolAccess);
  const endpoint = [`host=${access.endpoint}`, `ca=${ca}`, `cert=${cert}`, `key=${key}`];
  // docker parses these as one CSV line: quote fields with a comma or a quotation mark.
  const fields = endpoint.map((field) => (/[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field));
  return `docker context create ${shellQuote(name)} --docker ${shellQuote(fields.join(','))}`;
}

/** A double-quoted scalar of YAML 1.2, and a basic string of TOML 1.0: both accept JSON's escapes. YAML forbids some literal characters. */
export function quoted(value: string): string {
  return escaping(JSON.stringify(value), /[\u0080-\u009f\ufffe\uffff]/g);
}

/** HCL 2 (Terraform): a template begins with `${` or `%{`. */
export function hcl(value: string): string {
  return JSON.stringify(value).replace(/[$%](?=\{)/g, '$&$&');
}

/** Nomad parses HCL 1, which looks for the end of `${` even after another `$`, and then HCL 2's templates in the result. */
export function nomadHcl(value: string): string {
  return escaping(hcl(value), /(?<=[$%])\{/g);
}

function escaping(text: string, letters: RegExp): string {
  return text.replace(letters, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** YAML that Ansible does not treat as a template. */
export function ansible(value: string): string {
  return /\{[{%#]/.test(value) ? `!unsafe ${quoted(value)}` : quoted(value);
}

/** java.util.Properties: a value may contain `:` and `=`; backslashes and non-ASCII characters are escaped. */
export function property(value: string): string {
  return escaping(value.replaceAll('\\', '\\\\'), /[^\x20-\x7e]/g);
}

/** A file path in Jenkins' configuration as code, read on the controller. */
export function readFile(path: string): string {
  return quoted(`\${readFile:${path}}`);
}

/** Reason why `readFile` cannot contain a path: a variable has no escapes (commons-text, StringSubstitutor). */
export function unquotable(value: string): string | undefined {
  return /\}|:-|\$\{/.test(value) ? '"}", ":-" or "${": Jenkins would expand them' : undefined;
}

/** Reason why HCL cannot contain a text: it normalises characters (Unicode NFC), so a path would change its bytes. */
export function decomposed(value: string): string | undefined {
  return value === value.normalize('NFC') ? undefined : 'a letter in its decomposed form: HCL would compose it';
}
