// Parameters of `proxy doctor`, once.

import { choice, duration, text, url, type Values } from '@outrigger/core';

export const parameters = {
  target: url({
    schemes: ['http', 'unix'],
    example: 'http://127.0.0.1:8080',
    help: 'The application: http://host:port or unix:/path',
  }),
  path: text({
    optional: true,
    pattern: /\/[!-~]*/,
    expected: 'a path such as /status',
    help: 'What is asked for, with GET and HEAD alone: best a short page; that of the target when not given',
  }),
  host: text({
    optional: true,
    pattern: /[!-~]+/,
    expected: 'a host such as shop.example.com',
    help: 'Host field of the requests; that of the target when not given',
  }),
  probePost: text({
    optional: true,
    pattern: /\/[!-~]*/,
    expected: 'a path such as /echo',
    help: 'Path that may be sent POST requests with the body "probe"; without it none is sent',
  }),
  patience: duration({
    default: '15s',
    min: '100ms',
    max: '10m',
    help: 'How long an idle connection is watched for its end',
  }),
  timeout: duration({ default: '3s', min: '100ms', max: '1m', help: 'How long each answer may take' }),
  format: choice(['text', 'json'], { default: 'text', help: 'How the report is written' }),
};

export type DoctorParameters = Values<typeof parameters>;
