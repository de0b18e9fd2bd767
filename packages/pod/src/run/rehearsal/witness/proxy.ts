// The proxy's connections: requests that it was given up with, and requests that the application did not finish.

import * as z from '@outrigger/core/schema';
import { defineWitness, getJson, getText, growth, samplesOf } from './witness.ts';

const connections = z.array(z.object({ state: z.string(), unsentBytes: z.int() }));

// Requests that the application had been sent. `connect` was never accepted, `keepalive_race` was sent again.
const broken = ['closed', 'reset', 'invalid', 'timeout'].map((reason) => `reason="${reason}"`);

export const proxy = defineWitness({
  async look(client) {
    const open = connections.parse(await getJson(client, '/v1/connections'));
    const errors = samplesOf(await getText(client, '/metrics'), 'outrigger_proxy_upstream_errors_total');
    return { open, broken: new Map([...errors].filter(([labels]) => broken.includes(labels))) };
  },

  async lost({ before, last }, { exit }) {
    const losses = [];
    const unfinished = growth(before.broken, last.broken);
    if (unfinished > 0)
      losses.push({
        unit: 'requests',
        count: unfinished,
        text: 'given to the application and not answered',
      });
    // With exit code 0 it has waited for all of them.
    if (exit?.code === 0) return losses;
    const inFlight = last.open.filter(({ state }) => state === 'active').length;
    const tunnels = last.open.filter(({ state }) => state === 'tunnel').length;
    const unsent = last.open.filter(
      ({ state, unsentBytes }) => !['active', 'tunnel'].includes(state) && unsentBytes > 0,
    );
    if (inFlight > 0) losses.push({ unit: 'requests', count: inFlight, text: 'in flight, cut' });
    if (tunnels > 0) losses.push({ unit: 'tunnels', count: tunnels, text: 'cut' });
    if (unsent.length > 0)
      losses.push({ unit: 'responses', count: unsent.length, text: 'cut before clients had taken them' });
    return losses;
  },
});
