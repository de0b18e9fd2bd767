import type { RunningSidecar } from './start-sidecar.ts';

/** Value of one series on /metrics by its full name with labels, 0 when it is not there. */
export async function metricOf(sidecar: Pick<RunningSidecar, 'get'>, series: string): Promise<number> {
  const text = await (await sidecar.get('/metrics')).text();
  const line = text.split('\n').find((each) => each.startsWith(`${series} `));
  return line ? Number(line.slice(series.length)) : 0;
}
