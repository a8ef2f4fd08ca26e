# Podman's service: where its API answers, only TLS does. It comes behind the modules of systemd, and the last definition of a function counts.

responds() { :; }
