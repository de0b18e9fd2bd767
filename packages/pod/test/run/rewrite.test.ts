import { expect, test } from 'vitest';
import { rewriter } from '../../src/run/volume/rewrite.ts';

const rewrite = rewriter([
  { mountPath: '/logs', target: '/T/volumes/logs' },
  { mountPath: '/data/', target: '/T/volumes/data' },
  { mountPath: '/data/config', target: '/T/volumes/config' },
  { mountPath: '/etc/app.conf', target: '/T/sub-paths/0' },
]);

test.for([
  ['/logs', '/T/volumes/logs'],
  ['/logs/', '/T/volumes/logs/'],
  ['/logs/app.log*', '/T/volumes/logs/app.log*'],
  ['--paths=/logs/app.log', '--paths=/T/volumes/logs/app.log'],
  ['/data/config/a=/data/b', '/T/volumes/config/a=/T/volumes/data/b'],
  ['/data/configs', '/T/volumes/data/configs'],
  ['file:///logs/x', 'file:///T/volumes/logs/x'],
  ['unix:/data/app.sock', 'unix:/T/volumes/data/app.sock'],
  ['/logs:/data,/logs;/data', '/T/volumes/logs:/T/volumes/data,/T/volumes/logs;/T/volumes/data'],
  ['"/logs" and \'/data\'', '"/T/volumes/logs" and \'/T/volumes/data\''],
  ['look into /logs.', 'look into /T/volumes/logs.'],
  ['cat /etc/app.conf', 'cat /T/sub-paths/0'],
] as const)('a path in a volume is rewritten: %s', ([text, expected]) => {
  expect(rewrite(text)).toBe(expected);
});

test.for([
  '/logs2',
  '/logs-old',
  '/logs.old',
  '/logs~',
  '/logs*',
  '/var/logs',
  './logs',
  '../logs/x',
  '~/logs',
  '$HOME/logs',
  '$(HOME)/logs',
  '*/logs',
  'http://127.0.0.1:8080/logs',
  'http://host/logs?x=/a',
  'C:data',
  '/etc/app.conf.bak',
])('what only looks like one stays: %s', (text) => {
  expect(rewrite(text)).toBe(text);
});

test('a mount at / rewrites nothing', () => {
  expect(rewriter([{ mountPath: '/', target: '/T' }])('/bin/sh')).toBe('/bin/sh');
});

test('what was rewritten is not rewritten again', () => {
  const nested = rewriter([
    { mountPath: '/tmp', target: '/tmp/outrigger-x/volumes/tmp' },
    { mountPath: '/tmp/outrigger-x', target: '/wrong' },
  ]);
  expect(nested('/tmp/a')).toBe('/tmp/outrigger-x/volumes/tmp/a');
});
