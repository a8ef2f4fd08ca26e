/** What the reference of an image says about it. */

/** Words of a name or tag that promise another user than root. */
const NON_ROOT_WORD = /(?:^|[-_./:])(?:nonroot|non-root|unprivileged|rootless|chiseled)(?=$|[-_.:@])/;

/** Makers whose images start as another user, with the exceptions that are made to build on. */
const NON_ROOT_MAKER =
  /^cgr\.dev\/chainguard\/(?!wolfi-base\b)|^(?:docker\.io\/)?bitnami\/(?!minideb\b)|^dhi\.io\/(?!.*-dev\b)/;

/** True for a reference that says that the image runs as another user than root. */
export function isNonRootImage(reference: string): boolean {
  return NON_ROOT_WORD.test(reference) || NON_ROOT_MAKER.test(reference);
}

/** The tag of a reference: `latest` without one, undefined with a digest or a variable. */
export function movingTag(reference: string): string | undefined {
  if (reference.includes('$') || reference.includes('@sha256:') || reference === 'scratch') return undefined;
  const tag = /:([^/:]+)$/.exec(reference)?.[1];
  return tag === undefined ? 'no tag' : tag === 'latest' ? 'the tag latest' : undefined;
}
