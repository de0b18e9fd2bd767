// Who we are, as Kubernetes tells a container by the downward API: environment variables, and files that it keeps up to
// date. The API server is never asked.

import { parseAnnotations, path, readText, reasonOf, reasonOfFile, text } from '@outrigger/core';
import { openWatcher, watchLog } from '@outrigger/core/watch';
import type { Fields } from '../records.ts';
import { defineTransform } from './transform.ts';

/** The names that Fluent Bit and Fluentd give to them, by the variables in which they usually are. */
const variables = {
  pod_name: ['POD_NAME', 'MY_POD_NAME', 'K8S_POD_NAME'],
  namespace_name: ['POD_NAMESPACE', 'MY_POD_NAMESPACE', 'K8S_NAMESPACE'],
  pod_id: ['POD_UID', 'MY_POD_UID', 'K8S_POD_UID'],
  pod_ip: ['POD_IP', 'MY_POD_IP', 'K8S_POD_IP'],
  host: ['NODE_NAME', 'MY_NODE_NAME', 'K8S_NODE_NAME'],
  service_account: ['POD_SERVICE_ACCOUNT', 'SERVICE_ACCOUNT_NAME'],
  container_name: ['CONTAINER_NAME'],
};

export const kubernetes = defineTransform({
  summary: 'Adds what the downward API says of the Pod: environment variables such as POD_NAME, and mounted files',
  parameters: {
    field: text({ default: 'kubernetes', help: 'Field that holds it' }),
    labelsFile: path({ optional: true, help: 'File of a downwardAPI volume with metadata.labels' }),
    annotationsFile: path({ optional: true, help: 'File of a downwardAPI volume with metadata.annotations' }),
  },
  async open({ field, labelsFile, annotationsFile }, { log, signal }) {
    const known = fromEnvironment(process.env);
    const files = { labels: labelsFile, annotations: annotationsFile };
    let common: Fields = { [field]: known };
    const read = () => {
      const found = Object.entries(files).flatMap(([name, file]) =>
        file === undefined ? [] : [[name, Object.fromEntries(parseAnnotations(readText(file), ''))]],
      );
      common = { [field]: { ...known, ...Object.fromEntries(found) } };
    };
    const readAgain = () => {
      try {
        read();
      } catch (error) {
        log.warn('What the downward API says cannot be read; what it said before is added', {
          ...files,
          reason: reasonOfFile(error as NodeJS.ErrnoException),
        });
      }
    };
    const paths = Object.values(files).filter((file) => file !== undefined);
    if (paths.length > 0) {
      const watcher = await openWatcher({ paths, ...watchLog(log), changed: readAgain });
      const end = () => {
        Promise.resolve(watcher[Symbol.asyncDispose]()).catch((error: unknown) => log.warn(reasonOf(error)));
      };
      if (signal.aborted) end();
      else signal.addEventListener('abort', end, { once: true });
    }
    return {
      needs: 'bytes',
      apply(records) {
        records.common = { ...records.common, ...common };
      },
    };
  },
});

export function fromEnvironment(environment: Readonly<Record<string, string | undefined>>): Fields {
  const found = Object.entries(variables).map(([name, names]) => [
    name,
    names.map((each) => environment[each]).find((value) => value !== undefined && value !== ''),
  ]);
  return Object.fromEntries(found.filter(([, value]) => value !== undefined));
}
