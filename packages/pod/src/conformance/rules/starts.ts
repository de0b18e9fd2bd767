// Starting: at once, alone, and with a clear word when it cannot.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { Broken, defineRule, demand, Skip } from '../rule.ts';
import { withoutNetwork, withoutStdin } from '../surroundings.ts';

const execute = promisify(execFile);

export const starts = defineRule({
  id: 'life/starts',
  title: '/startupz answers 200 within the deadline',
  reason:
    'The kubelet starts the next container, and at last the application, when the startup probe of a sidecar succeeds',
  section: 'life',
  severity: 'error',
  async check(bench) {
    const sidecar = await bench.serve();
    sidecar.alive('a sidecar that goes on running');
  },
});

export const startsAlone = defineRule({
  id: 'life/starts-alone',
  title: '/startupz answers 200 although no peer and no application can be reached',
  reason:
    'The application starts after its sidecars: one that waits for it, or for anything else, keeps the Pod in Init for ever',
  section: 'life',
  severity: 'error',
  async check(bench) {
    const sidecar = await bench.start({ inside: withoutNetwork });
    const asUser = (await withoutNetwork.before()).includes('--user') ? ['--user', '--preserve-credentials'] : [];
    const get = `fetch('http://127.0.0.1:${bench.place.port}/startupz').then((r)=>console.log(r.status),()=>console.log(0))`;
    // Its network is not ours: the question is asked by a process that goes there.
    const enter = () => ['--target', String(sidecar.pid), '--net', ...asUser, '--', process.execPath, '-e', get];
    let seen = '0';
    await sidecar.until(async () => {
      const asked = execute('nsenter', enter(), { timeout: bench.deadline, env: bench.env });
      // Its network goes with it.
      const { stdout } = await asked.catch((error) => (sidecar.running ? missing(error) : { stdout: '0' }));
      seen = stdout.trim();
      return seen === '200';
    }, ['/startupz to answer 200 in a network without anybody else', () => (seen === '0' ? 'no answer' : seen)]);
  },
});

function missing(error: NodeJS.ErrnoException & { readonly stderr?: string }): never {
  if (error.code === 'ENOENT') throw new Skip('nsenter is not on this machine');
  throw new Skip(`Its network namespace cannot be entered: ${error.stderr?.trim() || error.message}`);
}

export const portInUse = defineRule({
  id: 'life/port-in-use',
  title: 'Ends with an error that names the address when its admin port is taken',
  reason: 'Containers of a Pod share their ports; two sidecars on one port must be seen at a glance, not guessed',
  section: 'life',
  severity: 'error',
  async check(bench) {
    const { port } = bench.place;
    const other = createServer((socket) => socket.destroy()).listen(port, '127.0.0.1');
    await once(other, 'listening');
    bench.defer(() => other.close());
    const sidecar = await bench.start();
    const { code } = await sidecar.ended();
    demand(code !== 0, 'an exit code other than 0', 'exit code 0');
    demand(sidecar.stderr.includes(String(port)), `a line on stderr that names port ${port}`, () =>
      sidecar.stderr.trim() ? 'other lines' : 'nothing',
    );
  },
});

export const stdinClosed = defineRule({
  id: 'life/stdin-closed',
  title: 'Starts and serves without a standard input',
  reason: 'A container has no stdin; a program that reads it sees its end at once, or gets a socket as descriptor 0',
  section: 'life',
  severity: 'error',
  async check(bench) {
    const sidecar = await bench.serve({ inside: withoutStdin });
    await sidecar.answers('/livez');
    sidecar.signal('SIGTERM');
    await sidecar.endsWith([0]);
  },
});

export const childLeft = defineRule({
  id: 'life/no-child-left',
  title: 'Leaves no process behind when it ends',
  reason:
    'With shareProcessNamespace it is not process 1: what it leaves goes on running, holds volumes and keeps the Pod from ending',
  section: 'life',
  severity: 'error',
  async check(bench) {
    const sidecar = await bench.serve();
    demand(bench.leftovers().length > 0, 'its process in /proc', 'none: /proc is needed for this rule');
    await sidecar.stop();
    const left = bench.leftovers();
    if (left.length > 0) throw new Broken('no process after its end', `${left.length} still running`);
  },
});
