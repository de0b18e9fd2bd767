// The ports that the containers of a Pod listen on: declared ones, and those that a sidecar's parameters name.

import type { IContainerPort } from 'kubernetes-models/v1/ContainerPort';
import { type ContainerEntry, portNumber, probeKinds, probeOf } from './containers.ts';
import type { Address, SidecarParameters } from './parameters.ts';
import type { Path } from './path.ts';

export type UsedPort = {
  readonly container: string;
  readonly name: string;
  readonly port: number;
  readonly protocol: string;
  readonly path: Path;
  readonly url: string;
};

/** Each port once, though it may be declared and be a parameter too. */
export function portsOf(entry: ContainerEntry, parameters: SidecarParameters | undefined): UsedPort[] {
  const ports = [...declaredPorts(entry, parameters?.values.adminAddress?.port), ...parameterPorts(entry, parameters)];
  const first = new Map<string, UsedPort>();
  for (const port of ports) if (!first.has(keyOf(port))) first.set(keyOf(port), port);
  return [...first.values()];
}

export const keyOf = ({ port, protocol }: Pick<UsedPort, 'port' | 'protocol'>) => `${port}/${protocol}`;

function declaredPorts(entry: ContainerEntry, adminPort: number | undefined): UsedPort[] {
  return [...(entry.container.ports ?? [])].flatMap((declared, index) => {
    const { name, containerPort: port, protocol = 'TCP' } = declared ?? ({} as IContainerPort);
    if (!port) return [];
    return {
      container: entry.name,
      name: name ?? String(port),
      port,
      protocol,
      path: [...entry.path, 'ports', index, 'containerPort'],
      url: port === adminPort ? `http://127.0.0.1:${port}` : urlOf(entry, { name: name ?? '', port, protocol }),
    };
  });
}

function parameterPorts(entry: ContainerEntry, parameters: SidecarParameters | undefined): UsedPort[] {
  return Object.entries(parameters?.values ?? {}).flatMap(([key, value]) => {
    if (!/^adminAddress$|[lL]istenAddress$/.test(key) || !isAddress(value) || value.port === 0) return [];
    const name = key.replace(/Address$/, '');
    return {
      container: entry.name,
      name,
      port: value.port,
      protocol: 'TCP',
      path: wordPath(parameters, key) ?? [...entry.path, 'name'],
      url: name === 'admin' ? `http://127.0.0.1:${value.port}` : `127.0.0.1:${value.port}`,
    };
  });
}

const isAddress = (value: unknown): value is Address =>
  typeof value === 'object' && value !== null && typeof (value as Address).port === 'number';

/** Where on the command line a parameter was given. */
export function wordPath(parameters: SidecarParameters | undefined, key: string): Path | undefined {
  const flag = parameters?.effective[key]?.source;
  return parameters?.argv.find(({ text }) => text === flag || text.startsWith(`${flag}=`))?.path;
}

function urlOf(
  entry: ContainerEntry,
  { name, port, protocol }: { name: string; port: number; protocol: string },
): string {
  const address = `127.0.0.1:${port}`;
  const probes = probeKinds.flatMap((kind) => probeOf(entry.container, kind)?.httpGet ?? []);
  const probed = probes.find((probe) => portNumber(entry.container, probe.port) === port);
  if (/^https\b/.test(name) || probed?.scheme === 'HTTPS') return `https://${address}`;
  if (/^(?:http|web|admin|metrics)\b/.test(name) || probed) return `http://${address}`;
  return protocol === 'TCP' ? address : `${address} (${protocol})`;
}
