import { file } from './file.ts';
import { http } from './http.ts';
import type { Source } from './source.ts';
import { tcp } from './tcp.ts';
import { unix } from './unix.ts';

/** Every source; the scheme of --target chooses one. */
export const sources: readonly Source[] = [http, unix, tcp, file];

export const schemes = sources.flatMap((source) => source.schemes);

export const sourceOf = (target: URL): Source =>
  sources.find((source) => source.schemes.includes(target.protocol.slice(0, -1)))!;
