# What the host's package manager would install, if HAProxy is missing, for a plan. Changes nothing.
# Needs functions: end package_manager say
# Needs variables: INSTALL manager program
# Needs programs: apt-get sed

# NAME VERSION, one in a line. What would be upgraded or removed, and why nothing can be installed, begin with `no`. Only apt says all that
# without a change.
look_at_offer() {
  export LC_ALL=C
  case $manager in
    '') echo 'no package manager that docker-tls knows (apt, dnf, zypper, apk)' ;;
    apt)
      if found=$(apt-get -s --no-install-recommends install haproxy 2>&1 </dev/null); then
        # `Inst NAME [OLD] (NEW …)`: an old version means an upgrade.
        printf '%s\n' "$found" | sed -n -e 's/^Remv \([^ ]*\).*/no apt would remove \1/p' -e 's/^Inst \([^ ]*\) \[.*/no apt would upgrade \1/p' \
          -e 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1 \2/p'
      else
        printf '%s\n' "$found" | sed -n 's/^E: /no apt: /p'
      fi
      ;;
    *) echo haproxy ;;
  esac
}

if [ "$INSTALL" = yes ] && [ -z "$program" ]; then
  package_manager
  say manager "$manager"
  say offer "$(look_at_offer)"
fi
end 'done'
