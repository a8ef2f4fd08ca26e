# shellcheck shell=bash
# Sourced by each script before it does anything: `--help` prints the comment that the script begins with.
case ${1-} in
  -h | --help)
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
    exit
    ;;
esac
