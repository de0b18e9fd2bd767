// @outrigger/core/testing: the contract suite and helpers that work on real processes and files.

export { contract, type ValidArguments } from './contract.ts';
export { type Endpoint, type EndpointOptions, openEndpoint } from './endpoint.ts';
export { freePort } from './free-port.ts';
export { type CertificateOptions, type Made, makeCertificate, writeCertificate } from './make-certificate.ts';
export { makeMaze } from './maze.ts';
export { limitMemory, type MemoryLimit } from './memory-limit.ts';
export { metricOf } from './metric-of.ts';
export { below, between, choose, deck, oneOf, type Random, seeded } from './random.ts';
export { readParameters } from './read-parameters.ts';
export { type Scratch, scratch } from './scratch.ts';
export { cannotRun, type Exit, missingPrograms, type Peer, type PeerOptions, startPeer } from './start-peer.ts';
export {
  handlesSighup,
  type ProgramOptions,
  type RunningProgram,
  startProgram,
  uniqueName,
} from './start-program.ts';
export { cannotMount, type RunningSidecar, type StartOptions, startSidecar } from './start-sidecar.ts';
export { unprivileged } from './unprivileged.ts';
export { until } from './until.ts';
export { makeVolume, type Volume } from './volume.ts';
