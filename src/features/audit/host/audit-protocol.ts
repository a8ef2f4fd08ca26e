/** Protocol of the package scripts: input variables and results. */

/** Variables set before the scripts: names of packages, and the host's list of installed ones. */
export const PACKAGE_VARIABLES = ['NAMES', 'NEW', 'LIST'] as const;

/** `daemon`: set if dockerd restarted during the installation; `stays`: those of `names` that other packages need. */
export const PACKAGE_RESULTS = {
  installed: ['daemon'],
  uninstalled: ['why'],
  purged: ['names', 'stays', 'why'],
} as const;
