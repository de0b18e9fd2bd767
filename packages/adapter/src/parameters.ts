import { duration, integer, path, secret, size, text, url } from '@outrigger/core';
import { schemes } from './source/index.ts';

export const parameters = {
  target: url({
    schemes,
    example: 'http://127.0.0.1:8080/status.xml',
    help: 'Where the application shows its state: http, https, unix (unix:/run/app.sock:/status), tcp or file',
  }),
  rulesFile: path({
    access: 'read',
    example: '/etc/adapter/rules.yaml',
    help: 'Which elements become which metrics; read again when it changes',
  }),
  timeout: duration({
    default: '5s',
    min: '10ms',
    reloadable: true,
    help: 'From asking for the document to having its metrics; keep it below the scrape timeout',
  }),
  maxAge: duration({
    default: '1s',
    reloadable: true,
    help: 'How long one answer of the target, good or bad, serves further scrapes',
  }),
  bodyLimit: size({ default: '4MiB', min: '1B', reloadable: true, help: 'The largest document that is read' }),
  seriesLimit: integer({
    default: '10000',
    min: 1,
    reloadable: true,
    help: 'How many series one rule may make; the first of the document are kept',
  }),
  targetUser: text({ optional: true, help: 'User for HTTP basic authentication' }),
  targetPassword: secret({ optional: true, help: 'Password for HTTP basic authentication' }),
  targetToken: secret({ optional: true, help: 'Token for HTTP bearer authentication' }),
};
