/** Lines of the roles that are built in, chosen from the Docker Engine API, versions 1.24 to 1.52. */

/** No environment variables and no output of containers. Lists of services and tasks show environment variables, so they are missing. */
export const MONITOR: readonly string[] = [
  'GET /info',
  'GET /events',
  'GET /system/df',
  'GET /containers/json',
  'GET /containers/*/stats',
  'GET /images/json',
  'GET /networks',
  'GET /volumes',
  'GET /nodes',
];

/**
 * Missing, though they are GET: what shows secrets (`/configs` with its contents, `/swarm` and `/swarm/unlockkey` with tokens and keys), files
 * (`/containers/…/archive`, `/containers/…/export`, `/images/get`), what runs a program (`/containers/…/top` runs ps with the client's
 * arguments, `/containers/…/attach/ws`), and what makes the daemon connect to a registry (`/images/search`, `/distribution`,
 * `/plugins/privileges`).
 */
export const READ: readonly string[] = [
  ...MONITOR,
  'GET /containers/*/json',
  'GET /containers/*/logs',
  'GET /containers/*/changes',
  'GET /exec/*/json',
  'GET /images/**/json',
  'GET /images/**/history',
  'GET /images/**/attestations',
  'GET /networks/*',
  'GET /volumes/*',
  'GET /nodes/*',
  'GET /services',
  'GET /services/*',
  'GET /services/*/logs',
  'GET /tasks',
  'GET /tasks/*',
  'GET /tasks/*/logs',
  'GET /secrets',
  'GET /secrets/*',
  'GET /plugins',
  'GET /plugins/**/json',
];
