// Every command. What a command needs is loaded when it runs.

import { type Command, defineCommand, type Given, oneManifest, refuse, type Words } from './command.ts';
import { type OutputName, outputNames } from './compose/outputs.ts';

const run = defineCommand({
  name: 'run',
  summary: 'Run a Pod on this machine, as plain processes',
  description: `Runs the Pod of a manifest as processes of this machine: no container engine, no root.

Volumes become temporary directories, and their paths in command, args and environment are
rewritten. Images outrigger/<role> are the toolkit's own programs; any other container runs the
command line in the annotation outrigger.dev/local.<container>, in the manifest's directory.
Start order, probes, restarts and the way it stops are those of Kubernetes. ConfigMaps and
Secrets in the file are followed while it runs. Ctrl-C stops it, once more kills it.

--terminate ends the Pod as a cluster would, 3s after it is ready, and prints on stdout who got
what when and what was lost; the log goes to stderr.

Exit code: 0 stopped as asked or completed, 1 failed, or something was lost or out of order at the end
(--terminate), 64 wrong manifest or usage.`,
  words: oneManifest,
  flags: {
    env: { value: 'container.NAME=value', repeatable: true, help: 'Set an environment variable of a container' },
    log: {
      value: 'pretty|raw',
      choices: ['pretty', 'raw'],
      help: "Sidecars' log lines as text or as they are (default: pretty on a terminal)",
    },
    'grace-period': {
      value: 'duration',
      help: "How long the Pod may take to end (default: the manifest's terminationGracePeriodSeconds)",
    },
    terminate: {
      value: 'duration',
      optional: /^\d/,
      help: 'End the Pod so long after it is ready (default: 3s), and report',
    },
    traffic: {
      value: 'url',
      help: 'With --terminate: ask this URL (http, https, tcp) all the time, and tell what became of each request',
    },
    json: { help: 'With --terminate: print the report as JSON' },
  },
  async run({ words: [manifest = ''], flags }) {
    const command = await import('./run/command.ts');
    return command.runManifest({
      file: manifest,
      env: flags.env ?? [],
      log: flags.log?.[0] as 'pretty' | 'raw' | undefined,
      gracePeriod: flags['grace-period']?.[0],
      terminate: flags.terminate?.[0],
      traffic: flags.traffic?.[0],
      json: flags.json !== undefined,
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
  words: oneManifest,
  flags: { json: { help: 'Print the findings as a JSON array' } },
  async run({ words: [manifest = ''], flags }) {
    const command = await import('./check/command.ts');
    return command.printFindings(manifest, { json: flags.json !== undefined });
  },
});

const oneWorkload: Words = { shown: '<workload.yaml>', expected: 'a manifest, such as deployment.yaml' };
const sidecarsFlag = { value: 'file', help: 'The list of sidecars (default: the annotation of the Pod)' };
const workloadFlag = { value: 'kind/name', help: 'Which workload of the file (default: the only one)' };
const writeFlag = { help: 'Write the file instead of printing it' };

const choice = (file: string, flags: Given['flags']) => ({
  file,
  sidecars: flags.sidecars?.[0],
  workload: flags.workload?.[0],
});

const compose = defineCommand({
  name: 'compose',
  summary: 'Add sidecars to a workload, and print it in another form',
  description: `Prints the manifest with the sidecars of a list in its workload (Pod, Deployment, StatefulSet, DaemonSet, Job
or CronJob). Whatever was there stays, byte for byte; composed again it is the same, and outrigger
remove gives back what it was. "-" reads from stdin. The list is a file or the annotation
outrigger.dev/sidecars of the Pod's template:

  sidecars:
    - role: proxy
      parameters: { tlsCertificateFile: [/tls/tls.crt], tlsKeyFile: [/tls/tls.key] }
      mounts: [{ secret: web-tls, path: /tls }]

Without a list --form prints the manifest as an engine understands it.

  native  as it is: sidecars are init containers with restartPolicy: Always (Kubernetes from 1.29)
  plain   sidecars as ordinary containers, first in the list and in their order: for older clusters
  podman  the plain form for podman kube play: probes of sidecars as a command of their image

Exit code: 0 printed (warnings or not), 64 wrong manifest or list.`,
  words: oneWorkload,
  flags: {
    sidecars: sidecarsFlag,
    workload: workloadFlag,
    form: {
      value: 'native|plain|podman',
      choices: ['native', 'plain', 'podman'],
      help: 'The form to print (default: native)',
    },
    output: {
      value: outputNames.join('|'),
      choices: outputNames,
      help: 'The manifest, or what is added alone, as a patch (default: yaml)',
    },
    directory: { value: 'path', help: 'Write the files of an output into this directory' },
    write: writeFlag,
  },
  async run({ words: [manifest = ''], flags }) {
    const { form, output, directory } = flags;
    if (flags.write && ((form?.[0] ?? 'native') !== 'native' || (output?.[0] ?? 'yaml') !== 'yaml'))
      return refuse(['--write is for the manifest itself, not for another form of it'], 'outrigger compose --help');
    if (directory && (output?.[0] ?? 'yaml') === 'yaml')
      return refuse(['--directory is for the files of another --output'], 'outrigger compose --help');
    const command = await import('./compose/command.ts');
    return command.composeManifest({
      ...choice(manifest, flags),
      write: flags.write !== undefined,
      form: form?.[0] as 'native' | 'plain' | 'podman' | undefined,
      output: (output?.[0] ?? 'yaml') as OutputName,
      directory: directory?.[0],
    });
  },
});

const diff = defineCommand({
  name: 'diff',
  summary: 'Show what compose would change in a manifest',
  description: `Prints the difference between the manifest and what outrigger compose makes of it, as diff -u does.

Exit code: 0 there is none, 1 there is one, 64 wrong manifest or list.`,
  words: oneWorkload,
  flags: { sidecars: sidecarsFlag, workload: workloadFlag },
  async run({ words: [manifest = ''], flags }) {
    const command = await import('./compose/command.ts');
    return command.diffManifest(choice(manifest, flags));
  },
});

const upgrade = defineCommand({
  name: 'upgrade',
  summary: 'Compose anew what was composed with another version or list',
  description: `Takes out what compose added and composes it with this version and the list that is given, or the one that it was
composed with. The rest stays, byte for byte.

Exit code: 0 printed (warnings or not), 64 wrong manifest or list, or nothing was composed.`,
  words: oneWorkload,
  flags: { sidecars: sidecarsFlag, workload: workloadFlag, write: writeFlag },
  async run({ words: [manifest = ''], flags }) {
    const command = await import('./compose/command.ts');
    return command.upgradeManifest({ ...choice(manifest, flags), write: flags.write !== undefined });
  },
});

const remove = defineCommand({
  name: 'remove',
  summary: 'Take out what compose added',
  description: `Prints the manifest as it was before it was composed, byte for byte, with what was changed in it since.

Exit code: 0 printed, 64 wrong manifest.`,
  words: oneWorkload,
  flags: { workload: workloadFlag, write: writeFlag },
  async run({ words: [manifest = ''], flags }) {
    const command = await import('./compose/command.ts');
    return command.removeFromManifest({ ...choice(manifest, flags), write: flags.write !== undefined });
  },
});

const conformance = defineCommand({
  name: 'conformance',
  summary: 'Test whether a sidecar keeps the contract, whatever it is written in',
  description: `Starts the command once or more for each rule, in surroundings as a container gives them, and looks at it from
outside: signals, exit codes, probes, metrics, API, logs. It is told where to listen by the variable
OUTRIGGER_ADMIN_ADDRESS. In its arguments and in --env and --traffic are filled in:

  {admin}, {port}   that address, and its port alone
  {port:name}       any other free port, the same wherever this name stands
  {scratch}         an empty directory, one for each rule, with what --file puts there
  {state}           the directory in it where the sidecar is to write

\`podman run <flags> <image>\` and the same of docker get the network, the directory, the environment and
the surroundings as further flags.

Exit code: 0 all rules passed or were skipped, 1 some failed, 64 wrong usage, 130 interrupted.`,
  words: { shown: '-- <command...>', expected: 'a command', rest: true },
  flags: {
    rule: { value: 'id', repeatable: true, help: 'Only this rule; * and ? stand for anything' },
    env: { value: 'NAME=value', repeatable: true, help: 'Set an environment variable of the sidecar' },
    file: { value: 'name=path', repeatable: true, help: 'Copy a file or directory to {scratch}/name for each rule' },
    traffic: { value: 'url', help: "A URL of the sidecar's own service (http, https, tcp)" },
    deadline: { value: 'duration', help: 'How long starting and stopping may take (default: 10s)' },
    format: {
      value: 'text|junit|json',
      choices: ['text', 'junit', 'json'],
      help: 'What is printed on stdout (default: text)',
    },
    list: { help: 'Print the rules and test nothing' },
  },
  async run({ words, flags }) {
    const command = await import('./conformance/command.ts');
    return command.testConformance({
      command: words,
      rules: flags.rule ?? [],
      env: flags.env ?? [],
      files: flags.file ?? [],
      traffic: flags.traffic?.[0],
      deadline: flags.deadline?.[0] ?? '10s',
      format: (flags.format?.[0] ?? 'text') as 'text' | 'junit' | 'json',
      list: flags.list !== undefined,
    });
  },
});

const create = defineCommand({
  name: 'create',
  summary: 'Write a new sidecar, whole and tested',
  description: `Writes the package of a sidecar of the same shape as those of the toolkit: it starts, keeps the contract and
passes its tests at once. What it is for goes into its src/work.ts. Nothing that is there is ever overwritten.

Exit code: 0 written, 64 wrong usage or a directory that is not empty.`,
  words: { shown: '<name>', expected: 'a name, such as exchange-rates' },
  flags: {
    directory: { value: 'path', help: 'Where to (default: packages/<name> of this repository)' },
    port: { value: 'number', help: 'Default admin port (default: the next from 9410 that none of the repository has)' },
    summary: { value: 'sentence', help: 'What it is for, without full stop' },
  },
  async run({ words: [name = ''], flags }) {
    const command = await import('./create/command.ts');
    const { directory, port, summary } = flags;
    return command.writeSidecar({ name, directory: directory?.[0], port: port?.[0], summary: summary?.[0] });
  },
});

export const commands: readonly Command[] = [run, check, compose, diff, upgrade, remove, conformance, create];
