# sysvinit: how its script is run.

# run_script COMMAND… VERB, with the command before the script: run_script timeout 10 stop
run_script() { "$1" "$2" /etc/init.d/docker "$3"; }
