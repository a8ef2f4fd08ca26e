/** What the scripts of packages are given and what they answer. */

/** Variables that stand before them: names of packages, and the host's list of those that were installed. */
export const PACKAGE_VARIABLES = ['NAMES', 'NEW', 'LIST'] as const;

/** `daemon`: where dockerd started again meanwhile; `stays`: those of `names` that something else needs. */
export const PACKAGE_RESULTS = {
  installed: ['daemon'],
  uninstalled: ['why'],
  purged: ['names', 'stays', 'why'],
} as const;
