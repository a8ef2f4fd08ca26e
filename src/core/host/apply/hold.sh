# Host lock while a certificate is issued. The following change has the same ID and takes the lock over.
# Needs functions: result take_lock
# Needs variables: CONFIRM
umask 077
take_lock "$CONFIRM"
result held
