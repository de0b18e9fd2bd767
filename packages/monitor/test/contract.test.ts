import { contract } from '@outrigger/core/testing';

contract(import.meta.resolve('../src/main.ts'), () => ['--sidecars', 'nobody=http://127.0.0.1:9']);
