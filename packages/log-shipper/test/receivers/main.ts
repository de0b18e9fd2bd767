// A receiver in a process of its own: `node main.ts loki 4100`. Prints its URL; /-/state says what it has, and a fault
// posted to /-/fail is played for the next requests.

import { argv, stdout } from 'node:process';
import { receivers } from './receivers.ts';

const [name, port = '0'] = argv.slice(2);
const Receiver = receivers[name as keyof typeof receivers];
if (!Receiver) throw new Error(`One of ${Object.keys(receivers).join(', ')} is expected`);
const receiver = await Receiver.listen({ port: Number(port) });
stdout.write(`${receiver.url}\n`);
