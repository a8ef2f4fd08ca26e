# Recovery unit of a user: it runs at the next start of their systemd; with lingering, at the next boot. This module follows systemd's
# module, and overrides its functions.
# Needs functions: boot_sockets
# Needs variables: SERVICE TLS_SOCKET

recovery_order() { order="Before=$SERVICE $TLS_SOCKET $(boot_sockets)sockets.target basic.target shutdown.target"; }
