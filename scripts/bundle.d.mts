// The types of bundle.mjs, which runs before there is anything that could compile it.

/** @param outdir where the pieces go: what `dist/` is in the package */
export function bundleProgram(outdir: string): Promise<void>;
