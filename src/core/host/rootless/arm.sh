# Where the recovery unit of a user comes: at the next start of their systemd, which is at the next boot where the user lingers. It comes behind
# the module of systemd, and the last definition of a function counts.
# Needs variables: SERVICE TLS_SOCKET

recovery_order() { order="Before=$SERVICE $TLS_SOCKET sockets.target basic.target shutdown.target"; }
