// A shop that nobody dares to touch: it logs JSON, card numbers and passwords included, to a file that it rotates by
// renaming.

const { appendFileSync, renameSync, statSync } = require('node:fs');

const file = process.env.SHOP_LOG ?? '/logs/shop.log';
const limit = Number(process.env.SHOP_LOG_LIMIT ?? 65536);
const period = Number(process.env.SHOP_PERIOD ?? 1000);

let order = 0;

function log(level, message, more) {
  appendFileSync(file, `${JSON.stringify({ time: new Date().toISOString(), level, message, ...more })}\n`);
  if (statSync(file).size > limit) renameSync(file, `${file}.1`);
}

log('info', 'shop is open', { database: 'postgres://shop:open-sesame@db.internal/shop' });
setInterval(() => {
  order++;
  log('info', `order ${order} placed`, { order, customer: `c-${order % 7}`, card: '4111 1111 1111 1111' });
  if (order % 5 === 0) log('error', `order ${order} cannot be delivered`, { order, reason: 'no such street' });
}, period);

process.on('SIGTERM', () => {
  log('info', 'shop is closed', { orders: order });
  process.exit(0);
});
