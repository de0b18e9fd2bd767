import { describe, expect, test } from 'vitest';
import type { Answer } from '../src/ask.ts';
import { judge, trouble, unheard } from '../src/judge.ts';

const start = new Date('2026-01-01T00:00:00Z');
const at = (seconds: number) => new Date(start.getTime() + seconds * 1000);
const first = unheard('proxy', new URL('http://127.0.0.1:9401'), start);

const ready: Answer = { kind: 'answered', failing: undefined, phase: 'serving', version: '1.0.0' };
const failing: Answer = { ...ready, failing: 'upstream: refused' };
const leaving: Answer = { ...failing, phase: 'leaving' };
const absent: Answer = { kind: 'absent', reason: 'connection refused' };
const silent: Answer = { kind: 'silent', reason: 'no answer within 2000 ms' };

/** The states that a row of answers, a second apart, leads to. */
const after = (...answers: Answer[]) =>
  answers.reduce((before, answer, index) => judge(before, answer, at(index + 1)), first);

describe('the state of a sidecar', () => {
  test('is unknown until it is asked', () => {
    expect(first).toMatchObject({ state: 'unknown', phase: null, version: null, lastAnswer: null });
  });

  test('lasts since the first of the answers that agree', () => {
    expect(after(ready, ready, ready)).toMatchObject({ state: 'ready', since: at(1).toISOString(), reason: null });
    expect(after(ready, failing, failing)).toMatchObject({
      state: 'failing',
      since: at(2).toISOString(),
      reason: 'upstream: refused',
    });
  });

  test('of one that has gone keeps when it was last heard, and no phase', () => {
    expect(after(ready, absent)).toMatchObject({ state: 'absent', phase: null, lastAnswer: at(1).toISOString() });
  });
});

describe('trouble', () => {
  const told = (...answers: Answer[]) => trouble(after(...answers.slice(0, -1)), after(...answers))?.code;

  test('is told when a sidecar fails, falls silent or goes', () => {
    expect(told(ready, failing)).toBe('MONITOR_SIDECAR_FAILING');
    expect(told(ready, silent)).toBe('MONITOR_SIDECAR_SILENT');
    expect(told(ready, absent)).toBe('MONITOR_SIDECAR_GONE');
  });

  test('is told once, not at every answer', () => {
    expect(told(ready, failing, failing)).toBeUndefined();
  });

  test('is not that one was never there, is on its way up, or goes as it was told to', () => {
    expect(told(absent)).toBeUndefined();
    expect(told(absent, failing)).toBeUndefined();
    expect(told(absent, failing, ready)).toBeUndefined();
    expect(told(ready, leaving)).toBeUndefined();
    expect(told(ready, leaving, absent)).toBeUndefined();
  });
});
