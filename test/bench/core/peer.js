// The same on the libraries that one would take without core, as their own guides say: probes, metrics, JSON logs,
// settings from the environment, an orderly stop.

import dotenv from 'dotenv';
import express from 'express';
import { collectDefaultMetrics, Gauge, register } from 'prom-client';
import winston from 'winston';

dotenv.config({ quiet: true });
const { ADMIN_HOST: host = '0.0.0.0', ADMIN_PORT: port = '9410', LOG_LEVEL: level = 'info' } = process.env;

const log = winston.createLogger({
  level,
  defaultMeta: { role: 'empty' },
  format: winston.format.combine(
    winston.format.timestamp(),
    winston.format.errors({ stack: true }),
    winston.format.json(),
  ),
  transports: [new winston.transports.Console({ stderrLevels: ['error', 'warn', 'info', 'debug'] })],
});

collectDefaultMetrics();
new Gauge({ name: 'build_info', help: 'Always 1', labelNames: ['version', 'node'] }).set(
  { version: '0.1.0', node: process.version },
  1,
);

let ready = false;
const app = express();
app.disable('x-powered-by');
app.get(['/livez', '/startupz'], (_request, response) => void response.type('text').send('ok\n'));
app.get(
  '/readyz',
  (_request, response) =>
    void response
      .status(ready ? 200 : 503)
      .type('text')
      .send(`${ready}\n`),
);
app.get('/metrics', async (_request, response) => {
  response.set('Content-Type', register.contentType).send(await register.metrics());
});

const server = app.listen(Number(port), host, (error) => {
  if (error) {
    log.error(error);
    process.exit(1);
  }
  ready = true;
  log.info('Started', { address: server.address() });
});

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, () => {
    log.info('Stopping', { signal });
    ready = false;
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}
