// The probes as OpenAPI describes them; probes.ts serves them.

const parameters = [
  { name: 'verbose', in: 'query', schema: { type: 'string' }, allowEmptyValue: true, description: 'List each check' },
  {
    name: 'exclude',
    in: 'query',
    schema: { type: 'array', items: { type: 'string' } },
    description: 'Checks left out',
  },
];

const text = (description: string) => ({ description, content: { 'text/plain': { schema: { type: 'string' } } } });

const probes = {
  livez: 'Alive; stays 200 while draining; /healthz is the same',
  readyz: 'Ready for work',
  startupz: 'Started; never waits for the application',
};

export function describeProbes(): Record<string, Record<string, object>> {
  const paths: Record<string, Record<string, object>> = {};
  const answers = { 200: text('Healthy'), 503: text('Not healthy, and why') };
  for (const [name, summary] of Object.entries(probes)) {
    paths[`/${name}`] = { get: { operationId: name, summary, tags: ['probes'], parameters, responses: answers } };
    const check = { name: 'check', in: 'path', required: true, schema: { type: 'string' } };
    paths[`/${name}/{check}`] = {
      get: {
        operationId: `${name}Check`,
        summary: `One check of /${name} alone`,
        tags: ['probes'],
        parameters: [check, ...parameters],
        responses: { ...answers, 404: text('There is no check of that name') },
      },
    };
  }
  return paths;
}
