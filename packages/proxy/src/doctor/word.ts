// The word `doctor`, which an idle proxy does not load.

import { type DoctorParameters, parameters } from './parameters.ts';

export const doctor = {
  summary: 'Probes the application with harmless requests and prints the parameters that suit it',
  parameters,
  async run({ parameters }: { readonly parameters: DoctorParameters }): Promise<number> {
    const [{ diagnose }, { render }] = await Promise.all([import('./doctor.ts'), import('./report.ts')]);
    const report = await diagnose(parameters);
    process.stdout.write(render(report, parameters.format));
    return report.served ? 0 : 1;
  },
};
