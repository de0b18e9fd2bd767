// TLS towards an https target: whom to trust and who asks, from files that may be rotated. Loaded only when one is named.

import type { Context } from '@outrigger/core';
import type { TlsFileNames, TlsFiles, TlsProblem } from '@outrigger/core/tls-files';
import { errors } from './errors.ts';

/** The parameter that names each file. */
const parameterOf = {
  caFile: 'targetCaFile',
  certificateFile: 'targetCertificateFile',
  keyFile: 'targetKeyFile',
} as const satisfies Record<keyof TlsFileNames, string>;

export type TlsParameter = (typeof parameterOf)[keyof TlsFileNames];
type Files = { readonly [K in TlsParameter]: string | undefined };

const filesOf = (parameters: Files): TlsFileNames => ({
  caFile: parameters.targetCaFile,
  certificateFile: parameters.targetCertificateFile,
  keyFile: parameters.targetKeyFile,
});

const named = (parameters: Files): TlsParameter[] => Object.values(parameterOf).filter((name) => parameters[name]);

export async function checkTargetTls(
  parameters: Files & { readonly target: URL },
  problem: (parameter: TlsParameter, message: string) => void,
): Promise<void> {
  const given = named(parameters);
  if (parameters.target.protocol !== 'https:') {
    for (const name of given) problem(name, 'is of use with an https target only');
    return;
  }
  if (given.length === 0) return;
  const { readTls } = await import('@outrigger/core/tls-files');
  try {
    readTls(filesOf(parameters));
  } catch (error) {
    const { about, message } = error as TlsProblem;
    problem(parameterOf[about], message);
  }
}

/** Undefined when no file is named: then whom Node.js trusts is trusted. */
export async function openTargetTls({
  parameters,
  log,
  stack,
}: Pick<Context<typeof import('./parameters.ts').parameters>, 'parameters' | 'log' | 'stack'>): Promise<
  TlsFiles | undefined
> {
  if (named(parameters).length === 0) return undefined;
  const { TlsFiles } = await import('@outrigger/core/tls-files');
  const { watchLog } = await import('@outrigger/core/watch');
  const files = filesOf(parameters);
  const tls = stack.use(
    await TlsFiles.open({
      files,
      modeChanged: watchLog(log).modeChanged,
      refused: ({ about, message }) =>
        log.warn(errors.ADAPTER_TLS_REFUSED({ detail: `${files[about]} ${message}`, parameter: parameterOf[about] })),
    }),
    { name: 'TLS files' },
  );
  const sayDates = () => {
    const detail = tls.current.outOfDate();
    if (detail) log.warn(errors.ADAPTER_CERTIFICATE_EXPIRED({ file: files.certificateFile, detail }));
  };
  sayDates();
  tls.onChange(({ description }) => {
    log.info('The changed TLS files are in use', { ...description });
    sayDates();
  });
  return tls;
}
