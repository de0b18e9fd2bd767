// An endpoint of one's own in a process of its own: what it answers 200 for it has appended to its store before. It fails as it
// is told to, by messages from its parent.

import { createHash } from 'node:crypto';
import { openSync, writeSync } from 'node:fs';
import type { Answer, Asked, Fault } from '../receivers/http-receiver.ts';
import { PlainHttpReceiver } from '../receivers/plain-http.ts';
import { arrivedOf, monotonic } from './sink.ts';

const [port, store] = process.argv.slice(2);
const fd = openSync(store!, 'a');
// An earlier one may have been killed in the middle of a line.
writeSync(fd, '\n');

const faults: Readonly<Record<string, Fault>> = {
  'is overloaded': { fault: 'answer', status: 503, body: 'later' },
  'asks to wait': { fault: 'answer', status: 429, headers: { 'retry-after': '1' } },
  'answers 500 after storing': { fault: 'answer after storing', status: 500, body: '<html>' },
  'is reset mid-body': { fault: 'reset', after: 700 },
  'closes without an answer': { fault: 'half close' },
  'hangs up after storing': { fault: 'hang up after storing' },
  'never answers': { fault: 'never answer' },
  'does not speak HTTP': { fault: 'not HTTP' },
  'informs first': { fault: 'continue first' },
  'reads slowly': { fault: 'slow read' },
};

class Keeping extends PlainHttpReceiver {
  failing: Fault | undefined;

  static override async listen(options: { port: number }): Promise<Keeping> {
    return new Keeping(options, '/logs').listen(options);
  }

  protected override isPush(): boolean {
    if (this.failing) this.fail(this.failing);
    return true;
  }

  protected override take(asked: Asked): Answer {
    const answer = super.take(asked);
    const arrived = this.stored.map(({ record }) => arrivedOf(record as Record<string, unknown>));
    this.stored.length = 0;
    const [first] = arrived;
    // A batch has no name here, and is sent again as it was.
    const chunk = createHash('sha1').update(asked.body).digest('base64');
    const records = arrived.map(({ line, path }) => [line, path]);
    const said = first
      ? { run: first.run, at: monotonic(), chunk, records }
      : { wrong: `${answer.status} ${answer.body}: ${asked.body.toString('utf8', 0, 200)}` };
    writeSync(fd, `${JSON.stringify(said)}\n`);
    return answer;
  }
}

const receiver = await Keeping.listen({ port: Number(port) });
process.on('message', (how: string) => {
  receiver.failing = faults[how];
  // Whoever waits in vain shall not wait for ever.
  receiver.hangUp();
  process.send!('done');
});
process.send!('listening');
