// @outrigger/core/testing: the contract suite and helpers that work on real processes and files.

export { contract, type ValidArguments } from './contract.ts';
export { freePort } from './free-port.ts';
export { limitMemory, type MemoryLimit } from './memory-limit.ts';
export { type Scratch, scratch } from './scratch.ts';
export { type Exit, missingPrograms, type Peer, type PeerOptions, startPeer } from './start-peer.ts';
export { type RunningSidecar, type StartOptions, startSidecar } from './start-sidecar.ts';
export { until } from './until.ts';
