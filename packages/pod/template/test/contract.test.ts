import { contract } from '@outrigger/core/testing';

contract(import.meta.resolve('../src/main.ts'), () => []);
