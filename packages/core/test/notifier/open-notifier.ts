import { openLog } from '../../src/log.ts';
import { notifiers } from '../../src/notifier/index.ts';
import type { Notifier } from '../../src/notifier/notifier.ts';
import { family } from '../../src/parameters/collections.ts';
import { resolveParameters } from '../../src/parameters/resolve.ts';

/** From the same words as on the command line. */
export function openNotifier(name: string, ...argv: readonly string[]): Notifier {
  const notify = family(notifiers, { repeatable: true, help: 'Under test' });
  const { values, problems } = resolveParameters({ notify }, { argv: ['--notify', name, ...argv], env: {} });
  if (problems.length > 0) throw new Error(problems.map(({ parameter, message }) => `${parameter}: ${message}`).join());
  const [chosen] = values.notify;
  return chosen!.member.open(chosen!.parameters, { log: openLog({ role: 'test', level: 'info', format: 'json' }) });
}
