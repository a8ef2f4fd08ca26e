// What the environment says to Node.js is not said to docker-tls. NODE_OPTIONS is ignored by a setting of the executable.
delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
if (process.env.NODE_EXTRA_CA_CERTS) {
  const tls = require('node:tls');
  tls.setDefaultCACertificates(tls.getCACertificates('bundled'));
}
