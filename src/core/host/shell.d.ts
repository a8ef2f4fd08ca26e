/** Type declaration for shell scripts, which esbuild (scripts/build.mjs) and vitest (vitest.config.ts) import as text. */
declare module '*.sh' {
  const text: string;
  export default text;
}

/** Package version, set at build time. */
declare const DOCKER_TLS_VERSION: string;
