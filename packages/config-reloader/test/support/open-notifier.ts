import { family, resolveParameters } from '@outrigger/core';
import { notifiers } from '../../src/notifier/index.ts';
import type { Notifier } from '../../src/notifier/notifier.ts';

/** From the same words as on the command line. */
export function openNotifier(name: string, ...argv: readonly string[]): Notifier {
  const notify = family(notifiers, { repeatable: true, help: 'Under test' });
  const { values, problems } = resolveParameters({ notify }, { argv: ['--notify', name, ...argv], env: {} });
  if (problems.length > 0) throw new Error(problems.map(({ parameter, message }) => `${parameter}: ${message}`).join());
  const [chosen] = values.notify;
  return chosen!.member.open(chosen!.parameters);
}
