// What the parameters say of TLS.

import type { AllowLists } from './allow.ts';

export type TlsSettings = AllowLists & {
  readonly mode: 'http' | 'tcp';
  /** Paired with the keys in their order. */
  readonly tlsCertificateFile?: readonly string[] | undefined;
  readonly tlsKeyFile?: readonly string[] | undefined;
  readonly tlsMinimumVersion: '1.2' | '1.3';
  /** Milliseconds. */
  readonly tlsTicketRotation: number;
  /** Milliseconds. */
  readonly tlsReloadPeriod: number;
  readonly clientCaFile?: string | undefined;
  readonly clientCrlFile?: string | undefined;
  readonly clientCertificate?: ClientCertificate | undefined;
};

export type ClientCertificate = 'none' | 'optional' | 'required';

/** Whether clients have to show a certificate: where there are authorities to check it by, they do unless told otherwise. */
export const clientCertificateOf = ({ clientCertificate, clientCaFile }: TlsSettings): ClientCertificate =>
  clientCaFile === undefined ? 'none' : (clientCertificate ?? 'required');

export type PairFiles = { readonly certificateFile: string; readonly keyFile: string };

/** Those that have both. */
export const pairFilesOf = ({ tlsCertificateFile = [], tlsKeyFile = [] }: TlsSettings): PairFiles[] =>
  tlsCertificateFile.flatMap((certificateFile, at) => {
    const keyFile = tlsKeyFile[at];
    return keyFile === undefined ? [] : [{ certificateFile, keyFile }];
  });
