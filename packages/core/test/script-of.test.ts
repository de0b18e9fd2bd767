import { describe, expect, test } from 'vitest';
import { scriptOf } from '../src/index.ts';

describe('what an interpreter runs', () => {
  test.for([
    ['node billing.cjs', 'billing.cjs'],
    ['/usr/bin/node --enable-source-maps -r ./hook.cjs /app/billing.cjs --port 80', 'billing.cjs'],
    ['node -e setInterval()', undefined],
    ['node', undefined],
    ['python3.13 -u -W ignore /srv/app.py serve', 'app.py'],
    ['python -m gunicorn app:app', 'gunicorn'],
    ['python3 -c pass', undefined],
    ['java -Xmx1g -cp /lib/a.jar com.acme.Main', 'com.acme.Main'],
    ['/opt/java/bin/java -Xmx1g -jar /srv/x.jar --server.port=80', 'x.jar'],
    ['deno run -A main.ts', 'main.ts'],
    ['/bin/sh -c /srv/run.sh', undefined],
    ['/bin/sh -e /srv/run.sh', 'run.sh'],
    ['ruby -I lib bin/server', 'server'],
    ['nginx -g daemon', undefined],
  ] as const)('%s', ([command, script]) => {
    expect(scriptOf(command.split(' '))).toBe(script);
  });
});
