// A container of a test on a remote host: npm install testcontainers; docker-tls env build-1 --format testcontainers > ~/.testcontainers.properties
// Ryuk, which removes containers of tests that died, has to mount the host's docker.sock: TESTCONTAINERS_RYUK_DISABLED=true leaves it out.
import { GenericContainer, Wait } from 'testcontainers';

const container = await new GenericContainer('busybox')
  .withCommand(['sh', '-c', 'mkdir /www; echo hello > /www/index.html; exec httpd -f -p 8080 -h /www'])
  .withExposedPorts(8080)
  .withWaitStrategy(Wait.forListeningPorts())
  .start();
try {
  const answer = await fetch(`http://${container.getHost()}:${container.getMappedPort(8080)}/`);
  console.log(`${container.getHost()} says ${(await answer.text()).trim()}`);
} finally {
  await container.stop();
}
