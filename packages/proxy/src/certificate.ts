// The certificate that clients are shown: the files of the two parameters, with this role's metrics, codes and readiness.

import type { Context } from '@outrigger/core';
import { type TlsFileNames, TlsFiles, type TlsProblem } from '@outrigger/core/tls-files';
import { watchLog } from '@outrigger/core/watch';
import { errors } from './errors.ts';
import type { Tally } from './tally.ts';

type Files = { readonly tlsCertificateFile: string | undefined; readonly tlsKeyFile: string | undefined };

export const filesOf = ({ tlsCertificateFile, tlsKeyFile }: Files): TlsFileNames => ({
  certificateFile: tlsCertificateFile,
  keyFile: tlsKeyFile,
});

/** The parameter that names the file a problem is about. */
export const parameterOf = ({ about }: TlsProblem) => (about === 'keyFile' ? 'tlsKeyFile' : 'tlsCertificateFile');

/** Undefined without a certificate: clients speak plain HTTP. */
export async function openCertificate(
  { parameters, health, log, stack }: Context<typeof import('./parameters.ts').parameters>,
  { metrics }: Tally,
): Promise<TlsFiles | undefined> {
  const files = filesOf(parameters);
  const file = files.certificateFile;
  if (!file) return undefined;
  const measure = ({ current }: TlsFiles) => metrics.certificateNotAfter.set(current.notAfter!.getTime() / 1000);
  const store = stack.use(
    await TlsFiles.open({
      files,
      reconcile: () => parameters.tlsReloadPeriod,
      modeChanged: watchLog(log).modeChanged,
      refused(problem) {
        metrics.certificateReloads.inc({ result: 'refused' });
        log.warn(errors.PROXY_CERTIFICATE_REFUSED({ detail: `${files[problem.about]} ${problem.message}` }));
      },
    }),
    { name: 'certificate' },
  );
  measure(store);
  store.onChange(({ description }) => {
    measure(store);
    metrics.certificateReloads.inc({ result: 'used' });
    log.info('The changed certificate is in use', {
      file,
      subject: description?.subject,
      notAfter: description?.notAfter,
    });
  });
  health.check('certificate', () => {
    const detail = store.current.outOfDate();
    return detail && errors.PROXY_CERTIFICATE_EXPIRED({ file, detail }).message;
  });
  return store;
}
