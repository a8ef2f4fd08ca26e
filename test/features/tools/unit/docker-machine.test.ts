import { describe, expect, it } from 'vitest';
import { parseDockerMachine } from '../../../../src/features/tools/adapters/docker-machine.ts';

/** As docker-machine 0.16.2 writes it: `docker-machine create -d generic --generic-ip-address 10.0.0.7 … build-1`. */
const store = '/home/ada/.docker/machine';
const record = {
  ConfigVersion: 3,
  Driver: {
    IPAddress: '10.0.0.7',
    MachineName: 'build-1',
    SSHUser: 'ubuntu',
    SSHPort: 2222,
    SSHKeyPath: `${store}/machines/build-1/id_rsa`,
    StorePath: store,
    SwarmMaster: false,
    SwarmHost: 'tcp://0.0.0.0:3376',
    SwarmDiscovery: '',
    EnginePort: 2376,
    SSHKey: '/home/ada/.ssh/id_rsa',
  },
  DriverName: 'generic',
  HostOptions: {
    Driver: '',
    Memory: 0,
    Disk: 0,
    EngineOptions: {
      ArbitraryFlags: ['live-restore=true'],
      Dns: null,
      GraphDir: '',
      Env: ['HTTP_PROXY=http://proxy:3128'],
      Ipv6: false,
      InsecureRegistry: ['registry.lan:5000'],
      Labels: ['zone=a'],
      LogLevel: '',
      StorageDriver: 'overlay2',
      SelinuxEnabled: false,
      TlsVerify: true,
      RegistryMirror: [],
      InstallURL: 'https://get.docker.com',
    },
    SwarmOptions: {
      IsSwarm: false,
      Address: '',
      Discovery: '',
      Agent: false,
      Master: false,
      Host: 'tcp://0.0.0.0:3376',
      Image: 'swarm:latest',
    },
    AuthOptions: {
      CertDir: `${store}/certs`,
      CaCertPath: `${store}/certs/ca.pem`,
      CaPrivateKeyPath: `${store}/certs/ca-key.pem`,
      CaCertRemotePath: '',
      ServerCertPath: `${store}/machines/build-1/server.pem`,
      ServerKeyPath: `${store}/machines/build-1/server-key.pem`,
      ClientKeyPath: '/elsewhere/key.pem',
      ServerCertRemotePath: '',
      ServerKeyRemotePath: '',
      ClientCertPath: '/elsewhere/cert.pem',
      ServerCertSANs: ['build.example'],
      StorePath: `${store}/machines/build-1`,
    },
  },
  Name: 'build-1',
};

type Change = (copy: Record<string, unknown> & typeof record) => void;

function parse(change: Change = () => undefined, storeDirectory = store): ReturnType<typeof parseDockerMachine> {
  const copy = structuredClone(record);
  change(copy);
  return parseDockerMachine({ name: 'build-1', text: JSON.stringify(copy, null, 4), storeDirectory });
}

describe('parseDockerMachine', () => {
  it('reads what the generic driver wrote', () => {
    expect(parse()).toEqual({
      name: 'build-1',
      address: '10.0.0.7',
      port: 2376,
      ssh: { user: 'ubuntu', port: 2222, keyFile: '/home/ada/.docker/machine/machines/build-1/id_rsa' },
      files: {
        ca: '/home/ada/.docker/machine/certs/ca.pem',
        caKey: '/home/ada/.docker/machine/certs/ca-key.pem',
        serverCert: '/home/ada/.docker/machine/machines/build-1/server.pem',
        serverKey: '/home/ada/.docker/machine/machines/build-1/server-key.pem',
        clientCert: '/elsewhere/cert.pem',
      },
    });
  });

  it('takes defaults for what Go leaves empty, zero or null', () => {
    const machine = parse((copy) => {
      Object.assign(copy.Driver, { SSHUser: '', SSHPort: 0, EnginePort: 0, SSHKeyPath: '' });
      Object.assign(copy.HostOptions.AuthOptions, { CaCertPath: '' });
    });
    expect(machine).toMatchObject({ port: 2376, ssh: { user: 'root', port: 22 } });
    expect(machine.ssh.keyFile).toBeUndefined();
    expect(machine.files.ca).toBe(`${store}/certs/ca.pem`);
  });

  it('follows a store that was moved, also from Windows, and leaves paths outside of it', () => {
    const machine = parse((copy) => {
      copy.Driver.StorePath = 'C:\\Users\\ada\\.docker\\machine';
      copy.Driver.SSHKeyPath = 'C:\\Users\\ada\\.docker\\machine\\machines\\build-1\\id_rsa';
      copy.HostOptions.AuthOptions.CaCertPath = 'C:\\Users\\ada\\.docker\\machine\\certs\\ca.pem';
      copy.HostOptions.AuthOptions.CaPrivateKeyPath = 'C:\\Users\\ada\\.docker\\machine\\..\\other.pem';
    }, '/mnt/old');
    expect(machine.ssh.keyFile).toBe('/mnt/old/machines/build-1/id_rsa');
    expect(machine.files).toMatchObject({
      ca: '/mnt/old/certs/ca.pem',
      caKey: 'C:\\Users\\ada\\.docker\\machine\\..\\other.pem',
      clientCert: '/elsewhere/cert.pem',
    });
  });

  const bad: [string, Change, string, string][] = [
    ['an older version', (copy) => Object.assign(copy, { ConfigVersion: 1 }), 'E_DOCKER_MACHINE_VERSION', 'version 1'],
    [
      'no version',
      (copy) => Object.assign(copy, { ConfigVersion: undefined }),
      'E_DOCKER_MACHINE_VERSION',
      'version 0',
    ],
    ['another name', (copy) => Object.assign(copy, { Name: 'x' }), 'E_DOCKER_MACHINE_DAMAGED', 'Name'],
    ['no address', (copy) => Object.assign(copy.Driver, { IPAddress: '' }), 'E_DOCKER_MACHINE_ADDRESS', 'no address'],
    [
      'an address that is none',
      (copy) => Object.assign(copy.Driver, { IPAddress: '10.0.0.7; reboot' }),
      'E_DOCKER_MACHINE_DAMAGED',
      'IPAddress',
    ],
    [
      'a wildcard',
      (copy) => Object.assign(copy.Driver, { IPAddress: '*.corp' }),
      'E_DOCKER_MACHINE_DAMAGED',
      'IPAddress',
    ],
    ['no driver', (copy) => Object.assign(copy, { Driver: null }), 'E_DOCKER_MACHINE_DAMAGED', 'Driver is missing'],
    [
      'no certificates',
      (copy) => Object.assign(copy.HostOptions, { AuthOptions: [] }),
      'E_DOCKER_MACHINE_DAMAGED',
      'HostOptions.AuthOptions',
    ],
    [
      'a port that is none',
      (copy) => Object.assign(copy.Driver, { SSHPort: 70000 }),
      'E_DOCKER_MACHINE_DAMAGED',
      'Driver.SSHPort',
    ],
    [
      'a port as a text',
      (copy) => Object.assign(copy.Driver, { SSHPort: '22' }),
      'E_DOCKER_MACHINE_DAMAGED',
      'Driver.SSHPort',
    ],
    [
      'a control character',
      (copy) => Object.assign(copy.Driver, { IPAddress: 'a\nb' }),
      'E_DOCKER_MACHINE_DAMAGED',
      'control',
    ],
  ];
  it.each(bad)('refuses %s', (_what, change, code, message) => {
    expect(() => parse(change)).toThrow(
      expect.objectContaining({ code, exit: 2, message: expect.stringContaining(message) }),
    );
  });

  it("quotes nothing of a text that is no JSON, which may hold a cloud's secret", () => {
    const text = '{"Driver": {"AccessToken": "hunter2", }';
    const caught = (() => {
      try {
        return parseDockerMachine({ name: 'a', text, storeDirectory: store });
      } catch (error) {
        return error;
      }
    })();
    expect(caught).toMatchObject({ code: 'E_DOCKER_MACHINE_DAMAGED', where: `${store}/machines/a/config.json` });
    expect(String((caught as Error).stack) + JSON.stringify(caught)).not.toContain('hunter2');
  });
});
