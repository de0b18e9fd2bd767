// What is said once the Pod is ready: where everything is, and what to try.

import { containersOf } from '../manifest/containers.ts';
import type { Admitted } from './admit.ts';
import type { PodContext } from './context.ts';
import { portTable } from './ports.ts';
import { rewriter } from './volume/rewrite.ts';

/** Addresses and hints have no prefix, so that lines can be copied into a shell. @param next what comes now */
export function announce({ manifest, ports, warnings }: Admitted, context: PodContext, next: string): void {
  const { log, pod, volumes } = context;
  if (warnings.length > 0)
    log.say(
      `outrigger check ${manifest.source.file} has ${warnings.length === 1 ? 'a warning' : `${warnings.length} warnings`}`,
    );
  log.say(`${manifest.name} is ready after ${process.uptime().toFixed(1)} s; ${next}`);
  const hints = pod.metadata?.annotations?.['outrigger.dev/try']?.trimEnd();
  // The applications' own paths win over those of sidecars.
  const entries = containersOf(pod).toSorted((a, b) => Number(a.kind === 'app') - Number(b.kind === 'app'));
  const mounts = entries.flatMap(({ container }) => volumes.locate(container, {}));
  const blocks = [ports.length > 0 ? portTable(ports) : '', hints ? rewriter(mounts)(hints) : ''].filter(Boolean);
  if (blocks.length > 0) log.print(`\n${blocks.join('\n\n')}\n\n`);
}
