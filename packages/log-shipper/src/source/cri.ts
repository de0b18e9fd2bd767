// Logs of containers as containerd and CRI-O write them: lines in an envelope that says time and stream, long ones in pieces.

import { list, text } from '@outrigger/core';
import { follow, following, links } from './file.ts';
import { defineSource } from './source.ts';

export const cri = defineSource({
  summary: 'Logs of containers as containerd and CRI-O write them, long lines joined',
  parameters: {
    paths: list(text, {
      default: ['/var/log/pods/*/*/*.log'],
      help: 'Files to follow; what their path says of Pod and container is added to each record',
    }),
    ...following,
    links: links('follow'),
  },
  wraps: true,
  open: (context) => follow(context, { encoding: 'utf-8', about: (path) => ({ wrapping: 'cri', ...whose(path) }) }),
});

// /var/log/pods/<namespace>_<pod>_<uid>/<container>/<restarts>.log
const place = /\/([^/_]+)_([^/_]+)_([^/_]+)\/([^/]+)\/(\d+)\.log[^/]*$/;

function whose(path: string) {
  const [, namespace, pod, uid, container, restarts] = place.exec(path) ?? [];
  if (namespace === undefined) return {};
  return {
    fields: {
      kubernetes: {
        namespace_name: namespace,
        pod_name: pod,
        pod_id: uid,
        container_name: container,
        restarts: Number(restarts),
      },
    },
  };
}
