import { describe, expect, test } from 'vitest';
import { allowedLicences, readAudit, refusedLicences } from '../src/gate.ts';

const named = (licence: string) => ({ name: 'left', version: '1.0.0', licence, integrity: 'sha512-', folder: '/' });

describe('licences', () => {
  test.each(allowedLicences)('%s is allowed', (licence) => {
    expect(refusedLicences([named(licence)])).toEqual([]);
  });

  test.each(['GPL-3.0-only', 'MIT OR GPL-3.0-only', 'undefined', 'SEE LICENSE IN LICENSE', ''])(
    '"%s" is refused',
    (licence) => {
      expect(refusedLicences([named('MIT'), named(licence)])).toEqual([
        `left@1.0.0: ${licence} is not an allowed licence`,
      ]);
    },
  );
});

describe('the audit', () => {
  test('without findings is one', () => {
    expect(readAudit(0, '{"advisories":{}}')).toEqual({ known: true, findings: [] });
  });

  test('with findings names them', () => {
    const advisory = { module_name: 'left', severity: 'high', title: 'Falls over', url: 'https://example.com/1' };
    expect(readAudit(1, JSON.stringify({ advisories: { 1: advisory } }))).toEqual({
      known: true,
      findings: ['left: high: Falls over https://example.com/1'],
    });
  });

  test.each(['', 'Error: ERR_PNPM_AUDIT_BAD_RESPONSE', '{"error":{"code":"ERR_PNPM_AUDIT_BAD_RESPONSE"}}'])(
    'that was not answered is not taken for one without findings: %j',
    (stdout) => {
      expect(readAudit(1, stdout).known).toBe(false);
    },
  );

  test('that was cut short is not known either', () => {
    expect(readAudit(null, '').known).toBe(false);
  });
});
