import { expect, test } from 'vitest';
import { Budget, costs } from '../../src/http2/budget.ts';

const spent = (budget: Budget, points: number, now: number) => {
  let count = 0;
  while (budget.spend(points, now)) count++;
  return count;
};

test('so many cancelled requests at once, and then so many a second', () => {
  const budget = new Budget(0);
  expect(spent(budget, costs.cancelled, 0)).toBe(200);
  expect(spent(budget, costs.cancelled, 1_000)).toBeLessThanOrEqual(20);
  expect(spent(budget, costs.cancelled, 2_000)).toBeGreaterThanOrEqual(19);
});

test('time brings back no more than there was', () => {
  const budget = new Budget(0);
  expect(spent(budget, costs.settings, 3_600_000)).toBe(100);
});

test('a PING for each message that was answered costs nothing', () => {
  const budget = new Budget(0);
  for (let i = 0; i < 10_000; i++) {
    budget.earn(costs.ping);
    expect(budget.spend(costs.ping, 0)).toBe(true);
  }
});

test('a clock that was read earlier takes nothing away', () => {
  const budget = new Budget(1_000);
  expect(budget.spend(costs.ping, 0)).toBe(true);
  expect(spent(budget, costs.ping, 0)).toBe(999);
});
