# sysvinit service commands.

# run_script COMMAND… VERB, with a command prefix: run_script timeout 10 stop
run_script() { "$1" "$2" /etc/init.d/docker "$3"; }
