// TLS towards a receiver: whom to trust and who asks, from files that may be rotated.

import type { ConnectionOptions } from 'node:tls';
import { boolean, type Log, ParameterProblem, path, text } from '@outrigger/core';
import type { TlsFileNames, TlsProblem } from '@outrigger/core/tls-files';

/** Of a member that can speak TLS. */
export const tlsParameters = {
  tls: boolean({ default: 'false', help: 'Whether to speak TLS; naming any of the files means it' }),
  caFile: path({
    optional: true,
    access: 'read',
    help: 'PEM: the authorities that the receiver must be certified by, instead of those Node.js knows',
  }),
  certificateFile: path({
    optional: true,
    access: 'read',
    help: 'PEM: the certificate to show to the receiver, with its chain',
  }),
  keyFile: path({ optional: true, access: 'read', help: 'PEM: the key of the certificate' }),
  tlsServerName: text({ optional: true, help: 'Name that the certificate must be for, where it is not the address' }),
};

export type TlsValues = {
  readonly [K in keyof typeof tlsParameters]: K extends 'tls' ? boolean : string | undefined;
};

/** How to connect, now. `options` is another object once the files have changed. */
export type ClientTls = AsyncDisposable & { readonly options: ConnectionOptions };

/** Undefined without TLS. @param prefix of the parameters, `sinkForward`, for what is said of wrong files. */
export async function openTls(
  { tls, tlsServerName, ...files }: TlsValues,
  { log, prefix }: { log: Log; prefix: string },
): Promise<ClientTls | undefined> {
  const named: TlsFileNames = {
    caFile: files.caFile,
    certificateFile: files.certificateFile,
    keyFile: files.keyFile,
  };
  const name = tlsServerName === undefined ? {} : { servername: tlsServerName };
  if (!Object.values(named).some((file) => file !== undefined))
    return tls ? { options: name, [Symbol.asyncDispose]: () => Promise.resolve() } : undefined;
  return await follow(named, { name, log, prefix });
}

async function follow(
  files: TlsFileNames,
  { name, log, prefix }: { name: ConnectionOptions; log: Log; prefix: string },
): Promise<ClientTls> {
  const { TlsFiles } = await import('@outrigger/core/tls-files');
  const { watchLog } = await import('@outrigger/core/watch');
  const parameterOf = ({ about }: TlsProblem) => `${prefix}${about[0]!.toUpperCase()}${about.slice(1)}`;
  const opened = await TlsFiles.open({
    files,
    modeChanged: watchLog(log).modeChanged,
    refused: (problem) =>
      log.warn('Changed TLS files are not usable, those before stay in use', {
        file: files[problem.about],
        reason: problem.message,
      }),
  }).catch((problem: TlsProblem) => {
    throw new ParameterProblem(parameterOf(problem), problem.message, { cause: problem });
  });
  const optionsOf = () => ({ ...name, secureContext: opened.current.context });
  let options: ConnectionOptions = optionsOf();
  opened.onChange(() => {
    options = optionsOf();
    log.info('Changed TLS files are in use', { ...opened.current.description });
  });
  return {
    get options() {
      return options;
    },
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}
