# What the host's package manager would install, if HAProxy is missing, for a plan. Changes nothing.
# Needs functions: end look_at_offer package_manager say
# Needs variables: INSTALL LIST manager program
# Needs programs: grep

# An installation that ended early.
if [ -n "$program" ] && grep -qsx @service "$LIST"; then say unsettled "$(grep -v '^@' "$LIST")"; fi
if [ "$INSTALL" = yes ] && [ -z "$program" ]; then
  package_manager
  say manager "$manager"
  say offer "$(look_at_offer)"
fi
end 'done'
