// Findings as text, one line each, as compilers write them.

import type { Finding } from './check.ts';

export const formatFinding = ({ file, line, column, severity, path, message }: Finding): string =>
  `${file}:${line}:${column}: ${severity}: ${path ? `${path}: ` : ''}${message}`;

export function summaryOf(findings: readonly Finding[]): string {
  const count = (severity: string) => findings.filter((each) => each.severity === severity).length;
  return `${counted(count('error'), 'error')}, ${counted(count('warning'), 'warning')}`;
}

const counted = (count: number, noun: string) => `${count} ${noun}${count === 1 ? '' : 's'}`;
