import { contract } from '@outrigger/core/testing';

// Nobody is there: a sidecar does not wait for its peers.
contract(import.meta.resolve('../src/main.ts'), (directory) => [
  '--from=http://127.0.0.1:2/rates.json',
  `--to=${directory}/rates.json`,
]);
