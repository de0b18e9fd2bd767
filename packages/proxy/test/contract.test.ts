import { contract, writeCertificate } from '@outrigger/core/testing';

contract(import.meta.resolve('../src/main.ts'), async (directory) => {
  const { certificateFile, keyFile } = await writeCertificate(directory);
  return ['--listen-address', '127.0.0.1:0', '--tls-certificate-file', certificateFile, '--tls-key-file', keyFile];
});
