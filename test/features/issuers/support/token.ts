/** A CA whose key is in a token: SoftHSM, with the test's own directories. The token also signs the CA's certificate. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export type TokenCa = {
  /** Settings that the library needs to find the token. */
  readonly env: { readonly SOFTHSM2_CONF: string };
  readonly certFile: string;
  readonly pinFile: string;
  readonly pin: string;
  /** With its module. */
  readonly uri: string;
};

const MODULE = '/usr/lib/softhsm/libsofthsm2.so';

/** Makes the key in the token; it never existed outside. */
export function makeTokenCa(directory: string, keyType = 'EC:prime256v1'): TokenCa {
  const at = (name: string) => join(directory, name);
  mkdirSync(at('tokens'), { recursive: true });
  writeFileSync(
    at('softhsm2.conf'),
    `directories.tokendir = ${at('tokens')}\nobjectstore.backend = file\nlog.level = ERROR\n`,
  );
  const pin = '43917650';
  writeFileSync(at('pin'), `${pin}\n`, { mode: 0o600 });
  const env = { SOFTHSM2_CONF: at('softhsm2.conf') };
  const run = (file: string, args: readonly string[], more = {}) =>
    execFileSync(file, args, { env: { ...process.env, ...env, ...more }, stdio: 'pipe' });
  run('softhsm2-util', ['--init-token', '--free', '--label', 'ca', '--pin', pin, '--so-pin', '98765432']);
  const login = ['--module', MODULE, '--token-label', 'ca', '--login', '--pin', pin];
  const key = ['--keypairgen', '--key-type', keyType, '--label', 'docker-ca', '--id', '01', '--usage-sign'];
  run('pkcs11-tool', [...login, ...key]);
  const sections =
    '[openssl_init]\nproviders = p\n[p]\ndefault = d\npkcs11 = t\n[d]\nactivate = 1\n[t]\nactivate = 1\n';
  writeFileSync(
    at('openssl.cnf'),
    `openssl_conf = openssl_init\n${sections}pkcs11-module-path = ${MODULE}\npkcs11-module-quirks = no-deinit\n[req]\ndistinguished_name = dn\nx509_extensions = ext\n[dn]\n[ext]\nbasicConstraints = critical,CA:TRUE\nkeyUsage = critical,keyCertSign,cRLSign\nsubjectKeyIdentifier = hash\n`,
  );
  const uri = 'pkcs11:token=ca;object=docker-ca';
  const request = ['req', '-new', '-x509', '-key', `${uri};type=private`, '-passin', `file:${at('pin')}`];
  run('openssl', [...request, '-subj', '/CN=Token CA', '-days', '300', '-out', at('ca.pem')], {
    OPENSSL_CONF: at('openssl.cnf'),
  });
  return { env, certFile: at('ca.pem'), pinFile: at('pin'), pin, uri: `${uri}?module-path=${MODULE}` };
}
