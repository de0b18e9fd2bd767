// @outrigger/core/schema: how routes and nested files are described. `import * as z` lets a bundle keep only what it uses.

export * from 'zod/mini';
