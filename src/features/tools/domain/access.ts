/** The data that a tool needs to use a host, and how a value is written in each tool's language. Pure. */

import { shellQuote } from '../../../core/domain/quote.ts';

/** One host as one client reaches it. No secret: the key is named by its path. */
export type Access = {
  /** The host's name in the store. */
  readonly host: string;
  /** Its DOCKER_HOST, `tcp://…:PORT`. */
  readonly endpoint: string;
  readonly client: string;
  /** The directory with ca.pem, cert.pem and key.pem, on the computer where the tool runs. */
  readonly directory: string;
  /** The docker context of the host, and the command that makes it there. */
  readonly context: { readonly name: string; readonly command: string };
};

export type Files = { readonly ca: string; readonly cert: string; readonly key: string };

/** The three files. A directory of Windows keeps its separator. */
export function filesOf({ directory }: Access): Files {
  const separator = /^[A-Za-z]:\\/.test(directory) ? '\\' : '/';
  const at = (name: string): string => `${directory}${directory.endsWith(separator) ? '' : separator}${name}`;
  return { ca: at('ca.pem'), cert: at('cert.pem'), key: at('key.pem') };
}

/** The command that makes a context of such files where docker-tls is not installed. */
export function contextCommand(access: Omit<Access, 'context'>, name: string): string {
  const { ca, cert, key } = filesOf(access as Access);
  const endpoint = [`host=${access.endpoint}`, `ca=${ca}`, `cert=${cert}`, `key=${key}`];
  // docker reads these as one line of CSV: a field with a comma or a quotation mark is quoted.
  const fields = endpoint.map((field) => (/[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field));
  return `docker context create ${shellQuote(name)} --docker ${shellQuote(fields.join(','))}`;
}

/** A double-quoted scalar of YAML 1.2, and a basic string of TOML 1.0: both take JSON's escapes. YAML has letters that are not written as they are. */
export function quoted(value: string): string {
  return escaping(JSON.stringify(value), /[\u0080-\u009f\ufffe\uffff]/g);
}

/** HCL 2 (Terraform): a template begins with `${` or `%{`. */
export function hcl(value: string): string {
  return JSON.stringify(value).replace(/[$%](?=\{)/g, '$&$&');
}

/** Nomad reads HCL 1, which looks for the end of `${` even behind another `$`, and then HCL 2's templates in what it has read. */
export function nomadHcl(value: string): string {
  return escaping(hcl(value), /(?<=[$%])\{/g);
}

function escaping(text: string, letters: RegExp): string {
  return text.replace(letters, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** YAML that Ansible does not take for a template. */
export function ansible(value: string): string {
  return /\{[{%#]/.test(value) ? `!unsafe ${quoted(value)}` : quoted(value);
}

/** java.util.Properties: a value may hold `:` and `=`; a backslash begins an escape, and other letters than ASCII are written as one. */
export function property(value: string): string {
  return escaping(value.replaceAll('\\', '\\\\'), /[^\x20-\x7e]/g);
}

/** A path in Jenkins' configuration as code, read on the controller. */
export function readFile(path: string): string {
  return quoted(`\${readFile:${path}}`);
}

/** Why `readFile` cannot name a path: within a variable nothing is escaped (commons-text, StringSubstitutor). */
export function unreadable(value: string): string | undefined {
  return /\}|:-|\$\{/.test(value) ? '"}", ":-" or "${", which Jenkins takes for its own' : undefined;
}

/** Why HCL cannot hold a text: it composes letters (Unicode NFC), which are other bytes in a path. */
export function decomposed(value: string): string | undefined {
  return value === value.normalize('NFC') ? undefined : 'a letter in its decomposed form, which HCL composes';
}
