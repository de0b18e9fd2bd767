// Compiles kernel/ to src/transcode/kernel-bytes.ts, which is committed: nothing but a change of the kernel needs the
// compiler. The same source gives the same bytes, and a test says whether it has. Run in the role's folder.

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const folder = fileURLToPath(new URL('../kernel/', import.meta.url));
const target = fileURLToPath(new URL('../src/transcode/kernel-bytes.ts', import.meta.url));

// Everything lies where memory.ts says, and nothing is ever allocated: no runtime, and a memory that does not grow.
const options = [
  ...['-O3', '--converge', '--noAssert', '--runtime', 'stub', '--use', 'abort='],
  ...['--enable', 'simd', '--enable', 'bulk-memory'],
  ...['--initialMemory', '6', '--maximumMemory', '6', '--memoryBase', '256'],
];

/** The module that carries the kernel. */
export async function renderKernel(): Promise<string> {
  let bytes: Uint8Array | undefined;
  const { error, stderr } = await asc.main(['kernel.ts', '--baseDir', folder, '--outFile', 'kernel.wasm', ...options], {
    writeFile: (_, contents) => {
      bytes = contents as Uint8Array;
    },
  });
  if (error || !bytes) throw new Error(`The kernel is not compiled: ${stderr.toString()}`, { cause: error });
  const text = Buffer.from(bytes).toString('base64');
  return `// Written by scripts/kernel.ts, of the sources in kernel/.\n\nexport const kernelBytes =\n  '${text}';\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(target, await renderKernel());
