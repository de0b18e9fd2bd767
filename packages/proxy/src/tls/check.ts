// What is wrong with the parameters of TLS, each under its own name.

import { readTls, type TlsFileNames, TlsProblem } from '@outrigger/core/tls-files';
import { allowLists, entryProblem } from './allow.ts';
import { type Candidate, candidateOf, neverChosen } from './choice.ts';
import { type PairFiles, pairFilesOf, type TlsSettings } from './settings.ts';
import { readTrust, type Trust, type TrustFileNames } from './trust.ts';

type Name = keyof TlsSettings & string;

export type Tell = {
  readonly problem: (parameter: Name, message: string) => void;
  readonly warning: (parameters: readonly Name[], message: string) => void;
};

export function checkTls(settings: TlsSettings, tell: Tell): void {
  checkPairs(settings, tell);
  checkClients(settings, tell);
  for (const name of allowLists)
    for (const entry of settings[name] ?? []) {
      const wrong = entryProblem[name](entry);
      if (wrong) tell.problem(name, `"${entry}": ${wrong}`);
    }
}

/** The parameter that names the file a problem is about. */
export const parameterOf = (about: keyof TlsFileNames) =>
  about === 'keyFile' ? ('tlsKeyFile' as const) : ('tlsCertificateFile' as const);

function checkPairs(settings: TlsSettings, tell: Tell): void {
  const { problem } = tell;
  const { tlsCertificateFile: certificates = [], tlsKeyFile: keys = [] } = settings;
  if (certificates.length > keys.length) problem('tlsKeyFile', missing(certificates, keys, 'a key'));
  if (keys.length > certificates.length) problem('tlsCertificateFile', missing(keys, certificates, 'a certificate'));
  const pairs = pairFilesOf(settings);
  const readable = pairs.flatMap((files) => readPair(files, pairs.length > 1, tell) ?? []);
  for (const { files } of neverChosen(readable))
    problem(
      'tlsCertificateFile',
      `"${files.certificateFile}": is never shown, since one before it has the same names and kind of key`,
    );
}

const missing = (some: readonly string[], others: readonly string[], what: string) =>
  `${what} is needed for "${some[others.length]}": both are paired in their order`;

type ReadPair = Candidate & { readonly files: PairFiles };

function readPair(files: PairFiles, several: boolean, { problem, warning }: Tell): ReadPair | undefined {
  try {
    const tls = readTls(files);
    const read = { files, ...candidateOf(tls) };
    const detail = tls.outOfDate();
    // Some client may still want it, and there is no other.
    if (detail)
      warning(
        ['tlsCertificateFile'],
        `"${files.certificateFile}" ${detail}; clients are shown it all the same, and /readyz fails`,
      );
    return read;
  } catch (error) {
    if (!(error instanceof TlsProblem)) throw error;
    const { about, message } = error as TlsProblem<keyof PairFiles>;
    problem(parameterOf(about), several ? `"${files[about]}": ${message}` : message);
    return undefined;
  }
}

function checkClients(settings: TlsSettings, tell: Tell): void {
  const { problem } = tell;
  const { clientCaFile, clientCrlFile, clientCertificate, tlsCertificateFile = [] } = settings;
  const wanted = clientCertificate === 'optional' || clientCertificate === 'required';
  if (clientCaFile === undefined) {
    if (wanted) problem('clientCertificate', 'needs --client-ca-file, the authorities to check them by');
    if (clientCrlFile !== undefined) problem('clientCrlFile', 'needs --client-ca-file');
  } else {
    if (tlsCertificateFile.length === 0)
      problem('clientCaFile', 'needs --tls-certificate-file: without TLS there are none');
    const files = { clientCaFile, clientCrlFile };
    const trust = readable(files, problem);
    const detail = clientCertificate === 'none' ? undefined : trust?.outOfDate();
    if (trust && detail)
      tell.warning([trust.dated], `"${files[trust.dated]}" ${detail}; clients it is for are refused`);
  }
  if (clientCaFile !== undefined && clientCertificate !== 'none') return;
  const why = clientCaFile === undefined ? 'needs --client-ca-file' : 'is of no use with --client-certificate none';
  for (const name of allowLists) if (settings[name]?.length) problem(name, why);
}

function readable(files: TrustFileNames, problem: Tell['problem']): Trust | undefined {
  try {
    return readTrust(files);
  } catch (error) {
    if (!(error instanceof TlsProblem)) throw error;
    const { about, message } = error as TlsProblem<keyof TrustFileNames>;
    problem(about, message);
    return undefined;
  }
}
