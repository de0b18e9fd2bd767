// Logs of containers as Docker's json-file driver writes them: a JSON object per line that says time and stream.

import { list, text } from '@outrigger/core';
import { follow, following, links } from './file.ts';
import { defineSource } from './source.ts';

export const docker = defineSource({
  summary: "Logs of containers as Docker's json-file driver writes them, long lines joined",
  parameters: {
    paths: list(text, { default: ['/var/lib/docker/containers/*/*-json.log'], help: 'Files to follow' }),
    ...following,
    links: links('follow'),
  },
  wraps: true,
  open: (context) => follow(context, { encoding: 'utf-8', about: () => ({ wrapping: 'docker' }) }),
});
