// How soon the demo Pod serves, and how soon Ctrl-C ends it. The first start fills the compile cache and is not counted.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { join, resolve } from 'node:path';
import { scratch, until } from '@outrigger/core/testing';

const root = resolve(import.meta.dirname, '../..');
const rounds = 5;

type Round = { readonly serving: number; readonly ended: number };

await round();
const measured: Round[] = [];
for (let count = 0; count < rounds; count++) measured.push(await round());
const column = (pick: (each: Round) => number, target: number) => {
  const sorted = measured.map(pick).sort((a, b) => a - b);
  return [sorted[0]!, sorted[rounds >> 1]!, sorted[rounds - 1]!]
    .map((ms) => (ms / 1000).toFixed(2))
    .concat(String(target))
    .join(' | ');
};
process.stdout.write(
  `\nThe demo Pod, ${rounds} runs, Node ${process.versions.node}, ${new Date().toISOString().slice(0, 10)}\n\n` +
    '| seconds | least | median | most | target |\n|---|---|---|---|---|\n' +
    `| from the command to an answer over HTTPS | ${column(({ serving }) => serving, 5)} |\n` +
    `| from Ctrl-C to the end | ${column(({ ended }) => ended, 3)} |\n\n`,
);

async function round(): Promise<Round> {
  await using directory = await scratch();
  const begun = performance.now();
  const command = [join(root, 'packages/pod/src/main.ts'), 'run', join(root, 'examples/billing/pod.yaml')];
  const pod = spawn(process.execPath, command, { env: { ...process.env, TMPDIR: directory.path }, stdio: 'ignore' });
  const exited = once(pod, 'exit');
  await until(() => answers(directory.join('outrigger-billing/volumes/tls/ca.crt')), {
    deadline: 60_000,
    what: 'the demo to serve',
  });
  const serving = performance.now() - begun;
  const asked = performance.now();
  pod.kill('SIGINT');
  await exited;
  return { serving, ended: performance.now() - asked };
}

function answers(authority: string): Promise<boolean> {
  return new Promise((resolve) => {
    try {
      const asked = request(
        'https://localhost:8443/invoices',
        { ca: readFileSync(authority), agent: false },
        (response) => {
          response.resume();
          resolve(response.statusCode === 200);
        },
      );
      asked.on('error', () => resolve(false)).end();
    } catch {
      resolve(false);
    }
  });
}
