/** A sign command for tests: openssl as the CA of another operator. */

import { chmodSync, writeFileSync } from 'node:fs';

/** Profile and days as arguments, request on stdin, certificate on stdout. */
export function writeSignScript(script: string, ca: { readonly certFile: string; readonly keyFile: string }): string {
  writeFileSync(
    script,
    `#!/bin/sh
set -e
t=$(mktemp -d); trap 'rm -r "$t"' EXIT
cat > "$t/csr"
printf 'extendedKeyUsage=%sAuth\\nkeyUsage=critical,digitalSignature\\n' "$1" > "$t/ext"
[ "$1" != issuer ] || printf 'extendedKeyUsage=clientAuth\\nkeyUsage=critical,keyCertSign\\nbasicConstraints=critical,CA:TRUE,pathlen:0\\n' > "$t/ext"
san=$(openssl req -in "$t/csr" -noout -text | sed -n '/Alternative Name/{n;s/IP Address:/IP:/g;p;}')
[ -z "$san" ] || echo "subjectAltName=$san" >> "$t/ext"
echo "Signing for $2 days"
openssl x509 -req -in "$t/csr" -CA '${ca.certFile}' -CAkey '${ca.keyFile}' -CAcreateserial -CAserial "$t/serial" -days "$2" -extfile "$t/ext" 2>/dev/null
`,
  );
  chmodSync(script, 0o755);
  return script;
}
