// The map: source -> frame -> parse -> transform -> encode -> deliver -> checkpoint. What is pushed to us goes to the disk after
// transform, and from there on to encode.

import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { type Context, defineSidecar, Fault, ParameterProblem, reasonOf, retry } from '@outrigger/core';
import manifest from '../package.json' with { type: 'json' };
import { routes } from './api.ts';
import { checkSinks } from './check-sinks.ts';
import { Checkpoint, readPositions } from './checkpoint.ts';
import { DeadLetters } from './dead/dead-letters.ts';
import { Delivery, type Letter } from './deliver.ts';
import { Encoder } from './encode.ts';
import { errors } from './errors.ts';
import { Ledger } from './ledger.ts';
import { lockDirectory } from './lock.ts';
import { untilMemory } from './memory.ts';
import { metrics } from './metrics.ts';
import { Outbox } from './outbox.ts';
import { parameters } from './parameters.ts';
import { checkPipeline, Pipeline } from './pipeline.ts';
import type { Sink } from './sink/sink.ts';
import { Sources } from './sources.ts';
import { Tap } from './tap.ts';
import { type Shipper, status } from './view.ts';
import { words } from './words/words.ts';

type ShipperContext = Context<typeof parameters, typeof metrics>;

export const sidecar = defineSidecar({
  name: 'log-shipper',
  version: manifest.version,
  summary: 'Ships what the application logs, losing nothing',
  port: 9402,
  parameters,
  metrics,
  errors,
  routes,
  status,
  words,

  async check({ parameters, problem }) {
    if (await unwritable(parameters.stateDirectory)) problem('stateDirectory', 'no permission to write there');
    const sinks = parameters.sink.map(({ name }) => name);
    checkPipeline(parameters, sinks, problem);
    await checkSinks(parameters, problem);
  },

  async start(context): Promise<Shipper> {
    const { parameters, stack } = context;
    const { stateDirectory } = parameters;
    // Disposal runs in reverse. Reading ends by itself after the signal, so deliveries go first: each ends when its sink
    // has acknowledged all that was read. Then files are closed, and what was acknowledged last is written.
    stack.use(await ownStateDirectory(context));
    const ledger = new Ledger(
      parameters.sink.map(({ name }) => name),
      await positionsOf(context),
    );
    const checkpoint = stack.use(new Checkpoint(stateDirectory, ledger, context));
    context.health.check('state', () => checkpoint.trouble);
    // While nothing is logged nothing is written, and a volume that hangs lets no write fail.
    context.health.periodic('state directory', { period: 5_000, timeout: 10_000 }, () => unwritable(stateDirectory));
    const source = stack.use(await Sources.open({ ledger, context }));
    // From here on, files that are rotated while nobody runs are known to the next start.
    await checkpoint.save();
    const tap = stack.use(new Tap());
    const letters = deadLetters(context);
    const bury = (refused: readonly Letter[]) => letters.put(refused);
    const deliveries: Delivery[] = [];
    for (const { name, member, parameters } of context.parameters.sink) {
      const sink = await member.open(parameters, { ...context, stateDirectory });
      const outbox = new Outbox(encoderFor(sink, context), sink.local ? 0 : context.parameters.batchWait);
      const left = () => errors.LOG_SHIPPER_LEFT({ sink: name, lag: ledger.lag(name) });
      const delivery = new Delivery({ ...context, name, sink, outbox, bury, tap });
      deliveries.push(stack.use(delivery, { name: `delivery to ${name}`, left }));
      feed(outbox, { source, name, context }).catch(context.fail);
    }
    // Disposed first: what was pushed and is safe is still delivered.
    stack.use(await source.listen(await Pipeline.open(parameters, context)));
    return { ledger, source, deliveries, checkpoint, tap };
  },
});

function deadLetters({ parameters, metrics, log }: ShipperContext): DeadLetters {
  const { stateDirectory, deadLetterLimit: limit, whenDeadLettersFull: whenFull } = parameters;
  return new DeadLetters({
    stateDirectory,
    limit,
    whenFull,
    dropped({ path, bytes }) {
      metrics.droppedLetters.inc(bytes);
      log.error(errors.LOG_SHIPPER_LETTERS_DROPPED({ path, bytes }));
    },
  });
}

/** Why nothing can be written there. */
const unwritable = (directory: string): Promise<string | undefined> =>
  access(directory, constants.W_OK | constants.X_OK).then(() => undefined, reasonOf);

function encoderFor({ encoding, limits }: Sink, { parameters, memory }: ShipperContext): Encoder {
  // What is read, and three batches of it: one on its way, one ready, one that grows.
  const most = Math.ceil(memory.share(1) / parameters.sink.length / 4);
  const bytes = Math.min(parameters.batchLimit, limits?.bytes ?? parameters.batchLimit, most);
  return new Encoder(encoding, { ...limits, bytes });
}

/** Each sink reads for itself: one that is down holds up no other, and what it has not had is still in the files. */
async function feed(
  outbox: Outbox,
  { source, name, context }: { source: Sources; name: string; context: ShipperContext },
): Promise<void> {
  const { parameters, memory, metrics, signal } = context;
  const pipeline = await Pipeline.open(parameters, context, name);
  for await (const chunk of source.chunks(name)) {
    const records = pipeline.records(chunk);
    metrics.read.inc({ sink: name }, records.length);
    metrics.splitLines.inc(records.pieces);
    await outbox.add(records);
    metrics.parseFailures.inc(records.failures);
    metrics.repaired.inc({ sink: name }, records.repaired);
    await untilMemory(memory, signal);
  }
  outbox.end();
}

/** A full disk is waited for: to end would only restart the container, which makes no room. */
async function ownStateDirectory({ parameters, health, log, signal }: ShipperContext): Promise<Disposable> {
  const room = health.latch('room in the state directory');
  const lock = await retry(async () => lockDirectory(parameters.stateDirectory), {
    backoff: { min: '250ms', max: '1s' },
    signal,
    permanent: (error) => !(error instanceof Fault),
    onRetry({ attempt, error }) {
      if (attempt === 1) log.error(error as Fault);
      room.hold(`${(error as Error).message}, attempt ${attempt}`);
    },
  }).catch((error: unknown) => {
    if (signal.aborted || error instanceof ParameterProblem) throw error;
    throw new ParameterProblem('stateDirectory', reasonOf(error), { cause: error });
  });
  room.release();
  return lock;
}

async function positionsOf(context: ShipperContext) {
  try {
    return await readPositions(context.parameters.stateDirectory, context);
  } catch (error) {
    throw new ParameterProblem('stateDirectory', reasonOf(error), { cause: error });
  }
}
