// The flags of `outrigger run`, read.

import { parseDuration, reasonOf } from '@outrigger/core';
import { refuse } from '../command.ts';
import { type RunOptions, run } from './run.ts';

type Written = Pick<RunOptions, 'file' | 'env' | 'log'> & {
  readonly gracePeriod: string | undefined;
  /** '' without a time. */
  readonly terminate: string | undefined;
  readonly traffic: string | undefined;
  readonly json: boolean;
};

// Kubernetes' own least: a shorter one means to kill at once.
const leastGrace = 1_000;

// Whoever has no readinessProbe counts as ready before it has begun to work.
const afterReady = '3s';

export async function runManifest({ gracePeriod, terminate, traffic, json, ...options }: Written): Promise<number> {
  const problems: string[] = [];
  const duration = (flag: string, text: string): number => {
    try {
      return parseDuration(text);
    } catch (error) {
      problems.push(`${flag}: ${reasonOf(error)}, not "${text}"`);
      return Number.NaN;
    }
  };
  const grace = gracePeriod === undefined ? undefined : duration('--grace-period', gracePeriod);
  if (grace !== undefined && grace < leastGrace)
    problems.push(`--grace-period: at least 1s is expected, not ${gracePeriod}`);
  const after = duration('--terminate', terminate || afterReady);
  if (terminate === undefined && traffic !== undefined)
    problems.push('--traffic is for --terminate, which is not there');
  if (terminate === undefined && json) problems.push('--json is for --terminate, which is not there');
  if (traffic !== undefined && !(/^(?:https?|tcp):\/\//.test(traffic) && URL.canParse(traffic)))
    problems.push(`--traffic: a URL with http, https or tcp is expected, not "${traffic}"`);
  if (problems.length > 0) return refuse(problems, 'outrigger run --help');
  return run({ ...options, grace, rehearsal: terminate === undefined ? undefined : { after, traffic, json } });
}
