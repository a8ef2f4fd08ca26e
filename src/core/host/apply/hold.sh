# The host's lock alone, for as long as a certificate is issued: the change that follows has the same number, and takes it over.
# Needs functions: result take_lock
# Needs variables: CONFIRM
umask 077
take_lock "$CONFIRM"
result held
