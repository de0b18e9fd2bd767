// Every command. What a command needs is loaded when it runs.

import { type Command, defineCommand } from './command.ts';

const run = defineCommand({
  name: 'run',
  summary: 'Run a Pod on this machine, as plain processes',
  description: `Runs the Pod of a manifest as processes of this machine: no container engine, no root.

Volumes become temporary directories, and their paths in command, args and environment are
rewritten. Images outrigger/<role> are the toolkit's own programs; any other container runs the
command line in the annotation outrigger.dev/local.<container>, in the manifest's directory.
Start order, probes, restarts and the way it stops are those of Kubernetes. ConfigMaps and
Secrets in the file are followed while it runs. Ctrl-C stops it, once more kills it.

Exit code: 0 stopped as asked or completed, 1 failed, 64 wrong manifest or usage.`,
  flags: {
    env: { value: 'container.NAME=value', repeatable: true, help: 'Set an environment variable of a container' },
    log: {
      value: 'pretty|raw',
      choices: ['pretty', 'raw'],
      help: "Sidecars' log lines as text or as they are (default: pretty on a terminal)",
    },
  },
  async run({ manifest, flags }) {
    const command = await import('./run/run.ts');
    return command.run({
      file: manifest,
      env: flags.env ?? [],
      log: flags.log?.[0] as 'pretty' | 'raw' | undefined,
    });
  },
});

const check = defineCommand({
  name: 'check',
  summary: 'Find everything that is wrong with a manifest',
  description: `Checks the Pod of a manifest, and the ConfigMaps and Secrets beside it: YAML, the Kubernetes schema,
references, ports, each sidecar's parameters by its own declaration, and what Kubernetes accepts
but does not do as one may hope (warnings). "-" reads the manifest from stdin.

Exit code: 0 right (warnings or not), 64 wrong.`,
  flags: { json: { help: 'Print the findings as a JSON array' } },
  async run({ manifest, flags }) {
    const command = await import('./check/command.ts');
    return command.printFindings(manifest, { json: flags.json !== undefined });
  },
});

const compose = defineCommand({
  name: 'compose',
  summary: 'Print a manifest in another form',
  description: `Prints the manifest in the form that an engine understands. "-" reads it from stdin.

  native  as it is: sidecars are init containers with restartPolicy: Always (Kubernetes from 1.29)
  plain   sidecars as ordinary containers, first in the list and in their order; probes of sidecars
          as a command of the image: for podman and older clusters

Exit code: 0 printed, 64 wrong manifest.`,
  flags: {
    form: { value: 'native|plain', choices: ['native', 'plain'], help: 'The form to print (default: native)' },
  },
  async run({ manifest, flags }) {
    const command = await import('./compose/command.ts');
    return command.printForm(manifest, (flags.form?.[0] ?? 'native') as 'native' | 'plain');
  },
});

export const commands: readonly Command[] = [run, check, compose];
