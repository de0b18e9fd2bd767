// Stands in for whoever publishes exchange rates: each answer is a little different. PORT is 8000 unless it is set.

import { createServer } from 'node:http';

const port = Number(process.env.PORT ?? 8000);

createServer((_, response) => {
  const rates = { base: 'EUR', date: new Date().toISOString(), rates: { USD: 1.1 + Math.random() / 10, CHF: 0.95 } };
  response.setHeader('content-type', 'application/json').end(`${JSON.stringify(rates)}\n`);
}).listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}/rates.json`));
