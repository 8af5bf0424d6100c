/** The library that writes certificates. It takes 170 ms to load, so that only those load it who write some. */
export async function x509Library() {
  // First: the library is broken without it.
  await import('reflect-metadata');
  // A CommonJS module: bundled, it has no other export than the default one.
  return (await import('@peculiar/x509')).default;
}
