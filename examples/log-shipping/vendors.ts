// Stands in for the vendors: receivers that check the wire format as strictly as they do. Prints what they have stored.

import { receivers } from '../../packages/log-shipper/test/receivers/receivers.ts';

const ports = { 'splunk-hec': 8088, datadog: 8089, elasticsearch: 9200 } as const;

for (const [name, port] of Object.entries(ports) as [keyof typeof ports, number][]) {
  const receiver = await receivers[name].listen({ port });
  process.stdout.write(`${name} listens at ${receiver.url}\n`);
  let seen = 0;
  setInterval(() => {
    for (const { record } of receiver.stored.slice(seen)) process.stdout.write(`${name} ${JSON.stringify(record)}\n`);
    seen = receiver.stored.length;
  }, 200);
}
