// Five minutes in which everything fails that can, and the million lines within a second. ORACLE_SECONDS and OUTRIGGER_SEED
// are those of the package's own, shorter test.

process.env.ORACLE_SECONDS ??= '300';
process.env.BURST_LINES ??= '1000000';

await import('../../packages/log-shipper/test/oracle/oracle.test.ts');
await import('../../packages/log-shipper/test/burst.test.ts');
