import { expect, test } from 'vitest';
import { HeaderEdits } from '../../src/routes/header-edits.ts';

const edits = new HeaderEdits({
  set: { 'X-Team': 'api', 'Cache-Control': ' no-store ' },
  add: { Via: '1.1 outrigger' },
  remove: ['Server', 'X-Debug'],
});

const drops = (name: string) => {
  const octets = Buffer.from(`..${name}: x`, 'latin1');
  return edits.dropsName(octets, 2, 2 + name.length);
};

test.each(['X-Team', 'x-team', 'X_TEAM', 'x.Team', 'cache_control', 'SERVER', 'x-debug', 'x_debug'])(
  '%s goes',
  (name) => {
    expect(drops(name)).toBe(true);
  },
);

test.each(['Via', 'X-Tea', 'X-Teams', 'XX-Team', 'Servet', 'Host', 'X-Debuh', 'A'])('%s stays', (name) => {
  expect(drops(name)).toBe(false);
});

test('lines are written once, in their order and as they are spelt', () => {
  expect(edits.lines.toString()).toBe('X-Team: api\r\nCache-Control: no-store\r\nVia: 1.1 outrigger\r\n');
});
