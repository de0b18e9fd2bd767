// A certificate that clients may be shown, with its key: checked for all that is needed to show it. One that were in use and
// could not be shown would keep whatever changes later from being used, such as a list of revoked certificates.

import {
  CheckedFiles,
  type FollowOptions,
  readMaterialFile,
  Tls,
  type TlsFileNames,
  type TlsMaterial,
} from '@outrigger/core/tls-files';
import { candidateOf } from './choice.ts';
import type { PairFiles } from './settings.ts';

type PairFile = keyof TlsFileNames;

const readMaterial = ({ certificateFile, keyFile }: PairFiles): TlsMaterial => ({
  cert: readMaterialFile('certificateFile', certificateFile),
  key: readMaterialFile('keyFile', keyFile),
});

/** Throws a TlsProblem. */
function checked(material: TlsMaterial): Tls {
  const tls = new Tls(material);
  candidateOf(tls);
  return tls;
}

export class Pair extends CheckedFiles<PairFile, Tls> {
  static async open(files: PairFiles, options: FollowOptions<PairFile>): Promise<Pair> {
    return await new Pair(files, options).follow([files.certificateFile, files.keyFile]);
  }

  private constructor(files: PairFiles, options: FollowOptions<PairFile>) {
    super({ read: () => readMaterial(files), check: checked }, options);
  }
}
