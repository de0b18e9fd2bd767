import { Intake } from '../../src/intake.ts';
import type { PushMember } from '../../src/source/push.ts';
import { Spool } from '../../src/spool/spool.ts';
import { silent } from '../silent.ts';
import { defaultsOf, settle } from './pushed.ts';

const [name, directory, given] = process.argv.slice(2);
const member = ((await import(`../../src/source/${name}.ts`)) as Record<string, PushMember>)[name!]!;
const spool = await Spool.open({ directory: directory!, sinks: ['test'], limit: 0x40000000 });
const intake = new Intake({ queue: spool, settle, lineLimit: 0x100000 });
const parameters = { ...defaultsOf(member), ...JSON.parse(given!) };
const source = await member.open({ parameters, intake, log: silent });
console.log(`listening ${source.listening}`);

const stop = async () => {
  await source[Symbol.asyncDispose]();
  await spool[Symbol.asyncDispose]();
  process.exit(0);
};
process.on('SIGTERM', stop);
await source.ended?.then(stop);
