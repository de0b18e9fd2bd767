// What the proxy has to reach, and whether it does.

import { figureOf, type Key, type Rounds, ratioOf } from './figures.ts';
import { ownName } from './subjects.ts';

type Target = {
  readonly scenario: string;
  readonly what: string;
  readonly value: (rounds: Rounds) => number | undefined;
  readonly most?: number;
  readonly least?: number;
};

const ratio = (peer: string, key: Key) => (rounds: Rounds) => ratioOf(rounds, ownName, peer, key);
const own = (key: Key) => (rounds: Rounds) => figureOf(rounds, ownName, key);

/** The lesser of what was served and what a second of CPU serves: the generator can hide the one, waiting the other. */
function throughput(peer: string) {
  return (rounds: Rounds) => {
    const [rate, cpu] = [ratio(peer, 'rate')(rounds), ratio(peer, 'cpu')(rounds)];
    return rate === undefined || cpu === undefined ? undefined : Math.min(rate, 1 / cpu);
  };
}

const targets: readonly Target[] = [
  { scenario: 'small-get', what: 'CPU per request, of nginx’s', value: ratio('nginx', 'cpu'), most: 1.2 },
  { scenario: 'small-get', what: 'CPU per request, of Caddy’s', value: ratio('Caddy', 'cpu'), most: 0.4 },
  { scenario: 'small-get', what: 'private memory while busy, MB', value: own('memory'), most: 30 },
  ...['get-64k', 'get-1m', 'post-64k', 'post-1m'].map((scenario) => ({
    scenario,
    what: 'throughput, of nginx’s',
    value: throughput('nginx'),
    least: 0.8,
  })),
  { scenario: 'handshake', what: 'throughput, of nginx’s', value: throughput('nginx'), least: 0.6 },
  { scenario: 'resumed-1.2', what: 'throughput, of nginx’s', value: throughput('nginx'), least: 0.7 },
  { scenario: 'resumed-1.3', what: 'throughput, of nginx’s', value: throughput('nginx'), least: 0.7 },
  { scenario: 'latency', what: 'added p99, ms', value: own('added99'), most: 1 },
  { scenario: 'idle', what: 'private memory before, MB', value: own('idle'), most: 20 },
  { scenario: 'idle', what: 'memory per connection, KB', value: own('perConnection'), most: 15 },
];

/** A line for each target of the scenarios that were run. */
export function verdicts(results: ReadonlyMap<string, Rounds>): string[] {
  return targets.flatMap((target) => {
    const rounds = results.get(target.scenario);
    return rounds ? [verdict(target, target.value(rounds))] : [];
  });
}

function verdict({ scenario, what, most, least }: Target, value: number | undefined): string {
  const wanted = most === undefined ? `at least ${least}` : `at most ${most}`;
  if (value === undefined) return `| ${scenario} | ${what} | | ${wanted} | not measured |`;
  const isMet = value <= (most ?? Number.POSITIVE_INFINITY) && value >= (least ?? Number.NEGATIVE_INFINITY);
  return `| ${scenario} | ${what} | ${value.toFixed(2)} | ${wanted} | ${isMet ? 'met' : 'MISSED'} |`;
}
