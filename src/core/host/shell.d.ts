/** Type declaration for imports of shell scripts as text, by esbuild (scripts/build.mjs) and vitest (vitest.config.ts). */
declare module '*.sh' {
  const text: string;
  export default text;
}

/** Package version, set at build time. */
declare const DOCKER_TLS_VERSION: string;
