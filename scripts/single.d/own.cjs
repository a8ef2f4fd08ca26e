// Node.js' environment variables do not apply to docker-tls. A setting of the executable ignores NODE_OPTIONS.
delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
if (process.env.NODE_EXTRA_CA_CERTS) {
  const tls = require('node:tls');
  tls.setDefaultCACertificates(tls.getCACertificates('bundled'));
}
