import { contract } from '../src/testing/index.ts';

contract(import.meta.resolve('./fixtures/sample.ts'), () => []);
