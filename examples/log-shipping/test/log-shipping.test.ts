// The Pod of pod.yaml, run for real against receivers that check as the vendors do: from Splunk to Datadog to Elasticsearch by
// one parameter.

import { fileURLToPath } from 'node:url';
import { until } from '@outrigger/core/testing';
import { expect, test } from 'vitest';
import { receivers } from '../../../packages/log-shipper/test/receivers/receivers.ts';
import { runPod } from '../../../packages/pod/test/outrigger.ts';

const pod = fileURLToPath(new URL('../pod.yaml', import.meta.url));

type Vendor = {
  readonly sink: 'splunk-hec' | 'datadog' | 'elasticsearch';
  readonly url: string;
  /** An order as this vendor has it. */
  readonly order: object;
};

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT/);
const card = '[REDACTED:card]';
const kubernetes = { pod_name: 'shop', namespace_name: 'default' };
const shared = { order: 5, customer: 'c-5', card, service: 'shop', kubernetes };

const vendors: readonly Vendor[] = [
  {
    sink: 'splunk-hec',
    url: 'OUTRIGGER_SINK_SPLUNK_HEC_URL',
    order: { time: expect.any(Number), event: { message: 'order 5 placed', level: 'info', ...shared } },
  },
  {
    sink: 'datadog',
    url: 'OUTRIGGER_SINK_DATADOG_URL',
    order: { message: 'order 5 placed', timestamp: expect.any(Number), status: 'info', ...shared },
  },
  {
    sink: 'elasticsearch',
    url: 'OUTRIGGER_SINK_ELASTICSEARCH_URL',
    order: { message: 'order 5 placed', '@timestamp': time, 'log.level': 'info', ...shared },
  },
];

test.each(vendors)(
  'with OUTRIGGER_SINK=$sink the shop is shipped there, to the last line',
  async (vendor) => {
    await using receiver = await receivers[vendor.sink].listen();
    const env = (value: string) => ['--env', `log-shipper.${value}`];
    const fast = ['--env', 'shop.SHOP_PERIOD=20', '--env', 'shop.SHOP_LOG_LIMIT=4096'];
    const args = [...env(`OUTRIGGER_SINK=${vendor.sink}`), ...env(`${vendor.url}=${receiver.url}`), ...fast];
    await using run = await runPod(pod, { args });
    await until(() => receiver.lines.some((line) => line.includes('order 60 placed')), { deadline: 60_000 });
    expect(await run.stop()).toEqual({ code: 0, signal: null });

    const orders = receiver.lines.flatMap((line) => /order (\d+) placed/.exec(line)?.[1] ?? []).map(Number);
    expect(orders).toEqual(Array.from({ length: orders.length }, (_, index) => index + 1));
    expect(receiver.lines.at(-1)).toContain('shop is closed');
    const records = receiver.stored.map(({ record }) => record);
    expect(records).toContainEqual(expect.objectContaining(vendor.order));
    expect(JSON.stringify(records)).not.toMatch(/open-sesame|4111/);
  },
  120_000,
);
