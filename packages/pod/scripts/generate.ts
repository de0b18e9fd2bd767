// Writes sidecars.schema.json.

import { writeFileSync } from 'node:fs';
import { renderListSchema } from '../src/compose/list-schema.ts';

writeFileSync(new URL('../sidecars.schema.json', import.meta.url), `${JSON.stringify(renderListSchema(), null, 2)}\n`);
