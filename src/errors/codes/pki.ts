/** Error codes of certificates, keys, CAs and clients. */

export const CERTIFICATES = {
  E_CERT_DAMAGED: [2, 'A certificate cannot be read.', 'openssl x509 -noout -text -in FILE'],
  E_CSR_DAMAGED: [2, 'A certificate request cannot be read.', 'openssl req -noout -text -verify -in FILE'],
  E_CSR_SIGNATURE: [
    2,
    'The signature of a certificate request does not match its key.',
    'Make another request<!-- bundles --> (`docker-tls client request NAME`)<!-- /bundles -->.',
  ],
  E_DAYS: [2, 'A lifetime that a certificate cannot have.', 'Pass --days with a smaller number.'],
  E_KEY_DAMAGED: [2, 'A private key cannot be read.', 'openssl pkey -noout -text -in FILE'],
  E_KEY_FORMAT: [2, "A private key is in OpenSSH's format.", 'ssh-keygen -p -m PKCS8 -f COPY-OF-THE-KEY'],
  E_KEY_TYPE: [2, 'A key of a type that TLS clients reject.', 'Pass --key-type p256.'],
  E_KEY_PASSPHRASE: [2, 'The passphrase of a private key is missing or wrong.', 'Pass --ca-passphrase-file FILE.'],
  // <!-- bundles -->
  E_PKCS12_KEY: [2, 'The key does not belong to the certificate to be exported.', 'docker-tls rotate client NAME'],
  E_PKCS12_PASSPHRASE: [2, 'A PKCS#12 file needs a passphrase.', 'Pass --passphrase-file FILE.'],
  // <!-- /bundles -->
  E_PROBE_CREDENTIALS: [
    2,
    'A client certificate and its key cannot be used together.',
    'docker-tls rotate client NAME',
  ],
  E_PROBE_TRUST: [2, 'The CA certificate to verify with is missing or damaged.', 'docker-tls ca show'],
} as const;

export const CA = {
  E_NO_CA: [2, 'There is no CA in this store yet.', 'docker-tls ca create'],
  E_CA_EXISTS: [
    2,
    'The store has another CA already.',
    'Keep it apart (`--home DIR`)<!-- ca-rotation -->, or run `docker-tls rotate ca`<!-- /ca-rotation -->.',
  ],
  E_CA_PASSPHRASE: [2, 'No passphrase was given for a new CA key.', 'Pass --ca-passphrase-file or --no-ca-passphrase.'],
  E_CA_NOT_CA: [2, 'The certificate may not sign other certificates.', 'Import the certificate of a CA.'],
  E_CA_EXPIRED: [
    2,
    'The CA has expired.',
    'Make another one<!-- ca-rotation --> (`docker-tls rotate ca`)<!-- /ca-rotation -->.',
  ],
  E_CA_NAMES: [2, "The CA's name constraints exclude a name of the host.", 'docker-tls ca show'],
  E_CA_KEY: [2, 'The key does not belong to the certificate of the CA.', 'Import the matching key.'],
  E_CA_PATHLEN: [
    2,
    'The CA may not sign the issuing CAs of clients.',
    'See `docker-tls ca show`<!-- issuers -->; for an import, pass --sign-command in place of --key<!-- /issuers -->.',
  ],
  E_CA_LEAF_ONLY: [
    2,
    'The CA makes no issuing CAs for clients, so dockerd cannot reject one client.',
    'Let it sign CAs of path length 0<!-- issuers -->, or accept that: docker-tls ca import --cert FILE --leaf-only<!-- /issuers -->.',
  ],
  E_CA_ACCEPTED: [
    2,
    'The host accepts every client of a CA, so one of them cannot be rejected.',
    'docker-tls setup HOST --accept-ca none',
  ],
  E_CA_KEY_EXTERNAL: [
    2,
    "The CA's key is not in this store.",
    'Issue it where the key is<!-- bundles --> (`docker-tls client sign REQUEST`)<!-- /bundles -->.',
  ],
  // <!-- ca-rotation -->
  E_CA_IN_USE: [3, 'A host or client still depends on the old CA.', 'docker-tls rotate ca'],
  // <!-- /ca-rotation -->
  E_CA_NOT_ACCEPTED: [
    3,
    'Hosts do not accept the new CA yet.',
    'Run `docker-tls apply`<!-- ca-rotation -->, or during a rotation `docker-tls rotate ca`<!-- /ca-rotation -->.',
  ],
  E_BREAKS_CLIENTS: [
    3,
    'Clients that hold only the old CA would lose access.',
    'Update them<!-- ca-rotation -->, or pass --no-overlap<!-- /ca-rotation -->.',
  ],
  E_NO_ISSUER: [2, 'A client has no issuing CA.', 'docker-tls rotate client NAME'],
  E_SIGN_COMMAND: [4, 'The sign command failed or could not be started.', 'Run the command that the error gives.'],
  // <!-- issuers -->
  E_CA_NOT_YET_VALID: [2, 'The CA is not valid yet.', 'openssl x509 -noout -dates -in FILE'],
  E_CA_SUBJECT: [2, 'The CA has no name.', 'Import a CA with a subject.'],
  E_CA_USAGE: [2, 'The extended key usage of the CA excludes servers or clients.', 'Import a CA without that limit.'],
  E_CA_EXTENSION: [2, 'The CA has a critical extension that verifiers reject.', 'Import a CA without it.'],
  E_CA_KEY_TYPE: [2, "Verifiers reject the type or size of the CA's key.", 'Import a CA with a P-256 or RSA 2048 key.'],
  E_CA_CHAIN: [2, 'The chain does not lead from the CA to a root.', 'Pass the whole chain with --chain FILE.'],
  E_ISSUER_UNREACHABLE: [4, 'The API of an external CA does not answer.', 'Run the command that the error gives.'],
  E_ISSUER_TLS: [
    4,
    'The API of an external CA has a certificate that is not trusted.',
    'Pass --tls-root FILE to ca import.',
  ],
  E_ISSUER_REFUSED: [4, 'An external CA refused to sign.', 'Look at its log, and at the profile that the error names.'],
  E_ISSUER_CREDENTIAL: [2, 'The credential for an external CA cannot be used.', 'Pass --credential-file to ca import.'],
  E_TOKEN: [4, 'The token that holds the key of the CA did not sign.', 'Check the PIN, the module and the URI.'],
  E_SIGN_ANSWER: [2, 'An external CA gave a certificate that cannot be used.', 'docker-tls ca show'],
  // <!-- /issuers -->
} as const;

export const CLIENTS = {
  E_CLIENT_UNKNOWN: [2, 'No client of that name is in the store.', 'docker-tls client list'],
  E_CLIENT_AMBIGUOUS: [2, 'There are several clients and none is named.', 'Pass --client NAME.'],
  // <!-- bundles -->
  E_CLIENT_EXISTS: [2, 'There is a client of this name already.', 'docker-tls client list'],
  // <!-- /bundles -->
  E_CLIENT_EXTERNAL: [2, 'Another store issued this client.', 'Run the command where the client was issued.'],
  E_CLIENT_REVOKED: [2, 'The client is revoked.', 'docker-tls client add OTHER-NAME'],
  E_CLIENT_NOT_ACCEPTED: [2, 'The host does not accept this client.', 'docker-tls client add NAME --hosts HOST'],
  E_CLIENT_NO_KEY: [
    2,
    "The client's key is not on this machine.",
    'Run the command on the machine that holds the key.',
  ],
  E_NO_PORT: [2, 'The host has no TLS port, only sockets on the host itself.', 'docker-tls socket add NAME HOST'],
  E_NO_CLIENTS: [2, 'The host accepts no client of this store.', 'docker-tls client add NAME --hosts HOST'],
  E_HOST_WITHOUT_CLIENTS: [
    5,
    'No client would be allowed on a host, so it was left unchanged and still accepts its current clients.',
    'docker-tls client add NAME --hosts HOST',
  ],
  E_LAST_CLIENT: [2, 'It is the last client: nothing could be verified without it.', 'docker-tls client add NAME'],
  // <!-- bundles -->
  E_BUNDLE: [2, 'A bundle of credentials is incomplete, damaged or expired.', 'docker-tls client export NAME'],
  E_NO_REQUEST: [2, 'A certificate belongs to no request of this machine.', 'docker-tls client request NAME'],
  // <!-- /bundles -->
  E_ROLE_DOCKERD: [2, 'dockerd itself cannot limit what a client does.', 'docker-tls setup HOST --listener haproxy'],
  E_ROLE_UNKNOWN: [2, 'There is no role of that name.', 'docker-tls role list'],
  // <!-- haproxy -->
  E_CLIENTS_ALIKE: [2, 'The certificates of two clients cannot be told apart.', 'docker-tls client add SHORTER-NAME'],
  E_ROLE: [2, 'A rule of a role cannot be used.', 'docker-tls role show read'],
  // <!-- /haproxy -->
} as const;
