// OTLP's severity numbers by name.

const names = ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const;

/** Of 1 to 24; each name has four of them. */
export const levelName = (level: number): (typeof names)[number] => names[Math.min(5, (level - 1) >> 2)]!;
