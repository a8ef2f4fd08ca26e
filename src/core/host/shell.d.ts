/** Shell scripts are imported as text; esbuild (scripts/build.mjs) and vitest (vitest.config.ts) load them so. */
declare module '*.sh' {
  const text: string;
  export default text;
}

/** The package's version, put in at build time. */
declare const DOCKER_TLS_VERSION: string;
