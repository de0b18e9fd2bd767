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

// A machine may say more of itself.
const kubernetes = expect.objectContaining({ pod_name: 'shop', namespace_name: 'default' });
const shared = { order: 5, customer: 'c-5', card: '[REDACTED:card]', service: 'shop', kubernetes };

const vendors: readonly Vendor[] = [
  {
    sink: 'splunk-hec',
    url: 'OUTRIGGER_SINK_SPLUNK_HEC_URL',
    order: {
      time: expect.any(Number),
      event: expect.objectContaining({ message: 'order 5 placed', level: 'info', ...shared }),
    },
  },
  {
    sink: 'datadog',
    url: 'OUTRIGGER_SINK_DATADOG_URL',
    order: { message: 'order 5 placed', timestamp: expect.any(Number), status: 'info', ...shared },
  },
  {
    sink: 'elasticsearch',
    url: 'OUTRIGGER_SINK_ELASTICSEARCH_URL',
    order: {
      message: 'order 5 placed',
      '@timestamp': expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      'log.level': 'info',
      ...shared,
    },
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
    // Each vendor has the message somewhere else.
    const records = () => receiver.stored.map(({ record }) => JSON.stringify(record));
    await until(() => records().some((record) => record.includes('order 60 placed')), {
      deadline: 60_000,
      what: () => `60 orders at ${vendor.sink}: ${receiver.stored.length} records have come\n${run.stdout}`,
    });
    expect(await run.stop()).toEqual({ code: 0, signal: null });

    const orders = records().flatMap((record) => /order (\d+) placed/.exec(record)?.[1] ?? []);
    expect(orders).toEqual(orders.map((_, index) => String(index + 1)));
    expect(records().at(-1)).toContain('shop is closed');
    expect(receiver.stored.map(({ record }) => record)).toContainEqual(expect.objectContaining(vendor.order));
    expect(records().join()).not.toMatch(/open-sesame|4111/);
  },
  120_000,
);
