/** Error codes of this machine: command line, secrets, fleet file, store, Docker's own files. */

export const COMMAND_LINE = {
  E_USAGE: [2, 'The command line cannot be understood.', 'docker-tls COMMAND --help'],
  E_NAME: [2, 'A name that a host, client or certificate cannot have.', 'Use letters, digits, dots and dashes.'],
  E_HOST_NAME: [2, 'Text that is not a host to log in to.', 'Write [user@]name[:sshport], ssh://… or local.'],
  E_HOST_UNKNOWN: [
    2,
    'No host of that name is in the store<!-- fleet --> or the fleet file<!-- /fleet -->.',
    'docker-tls status',
  ],
  E_HOST_AMBIGUOUS: [2, 'There are several hosts and none is named.', 'Name one of the hosts that the error lists.'],
  E_NO_HOSTS: [2, 'There is no host yet.', 'docker-tls setup HOST'],
  E_LIMIT: [2, '--limit or --shard matches no host.', 'docker-tls status'],
  E_NO_TERMINAL: [
    2,
    'A question has no answer and there is no terminal to ask on.',
    'Pass the flag that the error names.',
  ],
  E_DECLINED: [130, 'A confirmation was answered with no; no host and no store was changed.', 'Run the command again.'],
  E_INTERRUPTED: [130, 'The run was stopped by Ctrl-C or a signal.', 'Run the command again.'],
  E_FILE: [2, 'A file that was named cannot be read, or is of another kind.', 'ls -l FILE'],
  E_FILE_EXISTS: [2, 'The output file exists already.', 'Pass --replace, or another --out.'],
  E_LOG_FILE: [2, 'The log file cannot be written.', 'Pass another file with --log FILE.'],
  E_NO_HOME: [2, 'This user has no home directory, so the store has no place.', 'Pass --home DIR.'],
  // <!-- openssh -->
  E_TEMP_DIRECTORY: [
    2,
    'No temporary directory allows a program to run, and ssh needs one to ask for a password.',
    'export TMPDIR=DIRECTORY',
  ],
  // <!-- /openssh -->
  E_PROGRAM_MISSING: [2, 'A program that this command needs is not installed here.', 'Install the program named.'],
  E_SECRET_ENV: [2, 'The environment variable of a secret is empty or not set.', 'Set the variable named.'],
  E_SECRET_FILE: [
    2,
    'The file of a secret is missing, empty, not what it should hold, or readable by other users.',
    'chmod 600 FILE',
  ],
  E_SECRET_REFERENCE: [2, 'A file contains a secret as plain text.', 'Write env:NAME, file:PATH or prompt.'],
  // <!-- notices -->
  E_RELEASES: [4, 'GitHub did not tell the newest version of docker-tls.', 'Try again later.'],
  // <!-- /notices -->
  E_OUTPUT: [1, 'Output could not be written, as on a full disk.', 'df -h'],
  E_NODE_VERSION: [2, 'This Node.js is too old.', 'Install the version of Node.js that the error names.'],
  E_BUG: [1, 'A bug in docker-tls.', 'Run it again with -v and report the output.'],
} as const;

export const FLEET = {
  // <!-- fleet -->
  E_FLEET: [
    2,
    'The fleet file is missing or wrong; every problem is listed with its line.',
    'Correct the lines named.',
  ],
  E_FLEET_DEFAULTS: [
    2,
    "The file's defaults would give a host something that it does not have.",
    'Move the key from defaults to the hosts that need it.',
  ],
  E_FLEET_EDIT: [
    2,
    'An entry cannot be removed because an alias in another entry of the file uses it.',
    'Write the values out where the alias is.',
  ],
  E_INVENTORY: [2, 'An inventory is not one that docker-tls can import.', 'Correct the lines named.'],
  // <!-- /fleet -->
} as const;

export const STORE = {
  E_STORE_LOCKED: [4, 'Another run is changing the store.', 'Wait until that run has ended.'],
  E_STORE_CHANGED: [4, 'Another run changed the store after this one had planned.', 'Run the command again.'],
  E_STORE_DAMAGED: [2, 'A file in the store has unexpected content.', 'Restore the file from a backup.'],
  E_STORE_MODES: [2, 'Other users could change the store.', 'chmod -R go-rwx DIR'],
  E_STORE_SCHEMA: [2, 'The store was written by a newer docker-tls.', 'Install that version.'],
  E_STORE_FULL: [4, 'There is no space left for the store.', 'df -h DIR'],
  E_STORE_WRITE: [4, 'The store cannot be written.', 'ls -ld DIR'],
  E_STORE_HALF: [
    6,
    'The store could neither be changed nor put back; the next run completes the change.',
    'Make space, then run the command again.',
  ],
  E_STORE_URL: [2, 'The address of a shared store cannot be understood.', '--store git+ssh://git@HOST/PATH.git'],
  // <!-- team -->
  E_STORE_OTHER: [2, 'The directory given with --home belongs to another store.', 'Pass another --home DIR.'],
  E_STORE_NEW: [2, 'The shared store is empty: it has no operator yet.', 'docker-tls operator add NAME'],
  E_STORE_UNREACHABLE: [4, 'The shared store cannot be reached.', 'git ls-remote URL'],
  E_STORE_TLS: [4, 'TLS with the servers of the shared store failed.', 'openssl s_client -connect HOST:2379'],
  E_STORE_ACCESS: [
    4,
    'The servers of the shared store refuse the user or the certificate.',
    'etcdctl user get USER --detail',
  ],
  E_STORE_SERVER: [4, 'The server of the shared store is too old, or refused a request.', 'etcdctl endpoint status'],
  E_STORE_CLOSED: [
    2,
    'No key of yours opens the shared store.',
    'docker-tls operator add NAME RECIPIENT, by a colleague.',
  ],
  E_STORE_READ_ONLY: [
    2,
    'Your key opens the shared store, but not its CA, so you cannot change it.',
    'docker-tls operator list',
  ],
  // <!-- /team -->
  E_STORE_SETTINGS: [
    2,
    'The settings of the shared store make this computer run a command, send a file or log in somewhere, and were not accepted on this computer.',
    'Run the command without --yes, or with --trust-store-settings ID.',
  ],
  // <!-- team -->
  E_STORE_TAMPERED: [2, 'The shared store holds something that no operator has signed.', 'docker-tls store check'],
  E_STORE_OLDER: [
    2,
    'The shared store is older than the state that this computer has seen, or does not continue it.',
    'docker-tls store check',
  ],
  E_STORE_EXPIRED: [
    2,
    'The newest state that the server of the shared store shows is older than the store allows.',
    'docker-tls store check --witness hosts',
  ],
  E_STORE_WITNESS: [
    4,
    'A witness, a host or a place named by --witness, does not say what it has seen of the store.',
    'docker-tls store check --json',
  ],
  E_RECIPIENT: [2, 'Text that is neither a recipient of age nor an SSH public key.', 'cat ~/.ssh/id_ed25519.pub'],
  E_OPERATOR: [2, 'An operator that cannot be added or removed like this.', 'docker-tls operator list'],
  // <!-- /team -->
  // <!-- bundles -->
  E_REQUEST_DAMAGED: [
    2,
    'A certificate request in the store cannot be read.',
    'Make another one (`docker-tls client request NAME --new`).',
  ],
  // <!-- /bundles -->
  E_HOST_KNOWN: [2, 'This host is in the store under another name.', 'Use the name that the error gives.'],
  E_HOST_TAKEN: [2, 'Another host in the store has this name.', 'docker-tls status'],
  E_HOST_TWO_NAMES: [
    4,
    'One host has two names.',
    'Run `docker-tls setup NAME-IT-HAS`, or `docker-tls rename NAME-IT-HAS NEW-NAME`.',
  ],
  E_HOST_EXTERNAL: [
    2,
    'The host was set up from another store; this one only has a client for it.',
    'Run the command where the host was set up.',
  ],
} as const;

export const DOCKER_CLI = {
  // <!-- contexts -->
  E_CONTEXT_NAME: [2, 'A name that a docker context cannot have.', 'Pass --context NAME.'],
  E_CONTEXT_EXISTS: [2, 'A docker context of this name exists and is not ours.', 'Pass --context OTHER, or --replace.'],
  E_CONTEXT_DAMAGED: [2, "A docker context's files are damaged.", 'docker context rm NAME'],
  // <!-- /contexts -->
  E_DOCKER_CONFIG: [2, "Docker's config.json is not a JSON object.", 'python3 -m json.tool ~/.docker/config.json'],
  E_CLIENT_FILES: [2, "A client's files cannot be written or read.", 'ls -ld DIRECTORY'],
  // <!-- contexts -->
  E_CLIENT_FILES_EXIST: [2, 'Other TLS files are there already.', 'Pass --replace; copies are kept.'],
  E_CLIENT_COPY: [
    4,
    "A copy of a client's credentials could not be brought up to date; the store has the new ones.",
    'Fix what the error names, then run docker-tls context HOST.',
  ],
  // <!-- /contexts -->
  E_ENV_VALUE: [2, 'A value cannot be written for this shell.', 'Use a --home directory without such characters.'],
  // <!-- tools -->
  E_DOCKER_MACHINE_STORE: [2, 'There is no docker-machine store to import from.', 'Pass its directory.'],
  E_DOCKER_MACHINE_DAMAGED: [2, "A machine's config.json lacks required fields.", 'docker-machine inspect NAME'],
  E_DOCKER_MACHINE_VERSION: [2, "A machine's config.json is from an old docker-machine.", 'docker-machine ls'],
  E_DOCKER_MACHINE_ADDRESS: [2, 'A machine has no recorded address.', 'docker-machine start NAME'],
  // <!-- /tools -->
} as const;
