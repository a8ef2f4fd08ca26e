/** Help pages of `ca import` about CAs whose key is on another machine or in a token. */

const LEAF_ONLY =
  'It also signs an issuing CA for each client, so that each can be revoked. With --leaf-only it signs none: dockerd cannot reject a client before its certificate ends (docs/ca.md).';

const OWN_FILES =
  'Each computer of a team names its own files. Without --cert, the command names them for the CA that the store has.';

export const ISSUER_TOPICS = {
  'step-ca': {
    about: `Your step-ca signs, over its API. ${LEAF_ONLY}\n${OWN_FILES}`,
    examples: [
      'docker-tls ca import --cert intermediate.pem --chain root.pem --whole-chain --step-ca https://ca.example.org --credential-file provisioner.jwk',
      'docker-tls ca import --credential-file provisioner.jwk',
    ],
  },
  cfssl: {
    about: `Your cfssl signs, over its API. ${LEAF_ONLY}\n${OWN_FILES}`,
    examples: [
      'docker-tls ca import --cert ca.pem --cfssl https://ca.example.org:8888 --credential-file cfssl.key',
      'docker-tls ca import --credential-file cfssl.key',
    ],
  },
  vault: {
    about: `Your Vault or OpenBao signs, over its API. ${LEAF_ONLY}\n${OWN_FILES}`,
    examples: [
      'docker-tls ca import --cert ca.pem --vault https://vault.example.org:8200/v1/pki --credential-file token',
      'docker-tls ca import --credential-file token',
    ],
  },
  'sign-command': {
    about: `A command signs. It gets a request on standard input, and the profile (server, client or issuer) and the days as arguments, and prints the certificate. ${LEAF_ONLY}`,
    examples: ["docker-tls ca import --cert ca.pem --sign-command '/usr/local/bin/sign-docker {profile} {days}'"],
  },
  pkcs11: {
    about: `A token or KMS signs what this store issues.\n${OWN_FILES}`,
    examples: [
      "docker-tls ca import --cert ca.pem --pkcs11 'pkcs11:token=ca;object=docker-ca' --pin-file pin",
      'docker-tls ca import --pin-file pin',
    ],
  },
} as const;
