import { duration, integer, nested, path, secret, size, text, url } from '@outrigger/core';
import { readRules, rulesSchema } from './rules.ts';
import { schemes } from './source/index.ts';

export const parameters = {
  target: url({
    schemes,
    reach: true,
    example: 'http://127.0.0.1:8080/status.xml',
    help: 'Where the application shows its state: http, https, unix (unix:/run/app.sock:/status), tcp or file',
  }),
  rules: nested(rulesSchema, {
    read: readRules,
    example: '/etc/adapter/rules.yaml',
    reloadable: true,
    help: 'Which elements become which metrics',
  }),
  timeout: duration({
    default: '5s',
    min: '10ms',
    reloadable: true,
    help: 'From asking for the document to having its metrics; keep it below the scrape timeout',
  }),
  failFastAfter: integer({
    default: '3',
    min: 0,
    reloadable: true,
    help: 'After how many scrapes in a row without an answer in time the target is left alone for a while; 0 for never',
  }),
  failFastTime: duration({
    default: '10s',
    min: '100ms',
    max: '1h',
    reloadable: true,
    help: 'How long it is left alone, scrapes being answered at once; then one tries it, and if in vain, up to six times longer',
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
  targetCaFile: path({
    access: 'read',
    optional: true,
    help: 'PEM file with the authorities an https target must have its certificate from; read again when it changes. By default those of Node.js',
  }),
  targetCertificateFile: path({
    access: 'read',
    optional: true,
    help: 'PEM file with the client certificate and its chain, for an https target that asks for one; read again when it changes',
  }),
  targetKeyFile: path({
    access: 'read',
    optional: true,
    help: 'PEM file with the private key of the client certificate, without a passphrase',
  }),
};
