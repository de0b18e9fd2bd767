// What it says.

import { defineRule, demand } from '../rule.ts';

export const jsonLines = defineRule({
  id: 'log/json-lines',
  title: 'Each line on stderr is one JSON object with level and message',
  reason: 'Log agents take a line for an event; a stack trace over twenty lines is twenty events',
  section: 'life',
  severity: 'error',
  async check(bench) {
    const sidecar = await bench.serve({ env: { OUTRIGGER_LOG_LEVEL: 'debug' } });
    await sidecar.ask('/v1/no-such-resource');
    await sidecar.stop();
    const lines = sidecar.stderr.split('\n').filter((line) => line !== '');
    demand(lines.length > 0, 'at least one line', 'none');
    for (const line of lines) {
      const event = objectOf(line);
      demand(event, 'one JSON object a line', line.slice(0, 200));
      for (const field of ['level', 'message'])
        demand(typeof event[field] === 'string', `"${field}" as text`, line.slice(0, 200));
    }
  },
});

function objectOf(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
