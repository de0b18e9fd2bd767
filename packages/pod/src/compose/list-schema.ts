// What a list of sidecars may say; `sidecars.schema.json` is rendered from it.

import * as z from '@outrigger/core/schema';
import { isDnsLabel } from '../check/dns-name.ts';
import { parseQuantity } from '../manifest/quantity.ts';
import { roles } from '../manifest/toolkit.ts';

const nonEmpty = z.string().check(z.minLength(1, 'text is expected'));
const name = z.string().check(z.refine(isDnsLabel, 'a name of lower-case letters, digits and "-" is expected'));
const path = z.string().check(z.regex(/^\/(?!$)/, 'an absolute path is expected'));
const quantity = z
  .union([z.string(), z.number()], 'an amount such as 100m or 64Mi is expected')
  .check(
    z.refine((written) => parseQuantity(String(written)) !== undefined, 'an amount such as 100m or 64Mi is expected'),
  );

const share = z.strictObject({
  name,
  path,
  with: z.optional(
    z.union([z.string(), z.array(z.string())], 'the name of a container or a list of names is expected'),
  ),
  at: z.optional(path),
  writer: z.optional(z.enum(['application', 'sidecar'])),
  sizeLimit: z.optional(quantity),
});

const mount = z
  .strictObject({
    secret: z.optional(nonEmpty),
    configMap: z.optional(nonEmpty),
    persistentVolumeClaim: z.optional(nonEmpty),
    volume: z.optional(nonEmpty),
    emptyDir: z.optional(quantity),
    path,
    readOnly: z.optional(z.boolean()),
  })
  .check(
    z.refine(
      (each) => sourcesOf(each).length === 1,
      `one of secret, configMap, persistentVolumeClaim, volume or emptyDir is expected`,
    ),
  );

const amounts = z.strictObject({
  cpu: z.optional(quantity),
  memory: z.optional(quantity),
  'ephemeral-storage': z.optional(quantity),
});

const sidecar = z
  .strictObject({
    role: z.optional(z.enum(roles)),
    name: z.optional(name),
    image: z.optional(nonEmpty),
    // Judged by the role's own declaration.
    parameters: z.optional(z.record(z.string(), z.unknown(), 'a mapping is expected')),
    share: z.optional(z.array(share)),
    mounts: z.optional(z.array(mount)),
    resources: z.optional(z.strictObject({ requests: z.optional(amounts), limits: z.optional(amounts) })),
    after: z.optional(z.string()),
  })
  .check(
    z.refine(
      ({ role, image, name }) => role !== undefined || (image !== undefined && name !== undefined),
      `role is expected (${roles.join(', ')}), or image and name of any other sidecar`,
    ),
  );

export const listSchema = z.strictObject({
  sidecars: z.array(sidecar).check(z.minLength(1, 'at least one sidecar is expected')),
  image: z.optional(z.strictObject({ registry: z.optional(z.string()), tag: z.optional(nonEmpty) })),
});

export type WrittenList = z.output<typeof listSchema>;
export type WrittenSidecar = WrittenList['sidecars'][number];
export type WrittenShare = z.output<typeof share>;
export type WrittenMount = z.output<typeof mount>;

const sources = ['secret', 'configMap', 'persistentVolumeClaim', 'volume', 'emptyDir'] as const;

/** What is mounted: one, as the schema has it. */
export const sourcesOf = (mount: Partial<Record<(typeof sources)[number], unknown>>) =>
  sources.filter((each) => mount[each] !== undefined);

/** For editors. The parameters of a role are in the schema beside it. */
export function renderListSchema(): Readonly<Record<string, unknown>> {
  const rendered = JSON.parse(JSON.stringify(z.toJSONSchema(listSchema, { io: 'input', unrepresentable: 'any' })));
  const { sidecars } = rendered.properties;
  sidecars.items.anyOf = [{ required: ['role'] }, { required: ['image', 'name'] }];
  sidecars.items.allOf = roles.map((role) => ({
    if: { properties: { role: { const: role } }, required: ['role'] },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { properties: { parameters: { $ref: `../${role}/parameters.schema.json` } } },
  }));
  sidecars.items.properties.mounts.items.oneOf = sources.map((each) => ({ required: [each] }));
  return { ...rendered, title: 'Sidecars for outrigger compose' };
}
