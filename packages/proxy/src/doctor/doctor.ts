// All probes in their order, one after the other: an old application may serve one connection at a time.

import { reasonOf } from '@outrigger/core';
import { bodies, expectContinue, posts } from './bodies.ts';
import { connectionClose, halfClose, headMethod, http2, pipelining } from './exchanges.ts';
import type { Finding, Probe } from './finding.ts';
import { firstAnswer } from './first-answer.ts';
import { absoluteForm, headerCase, headSize, oldVersion } from './heads.ts';
import { keepAlive } from './keep-alive.ts';
import type { DoctorParameters } from './parameters.ts';
import { Target } from './target.ts';

export type Report = {
  /** As for --upstream. */
  readonly target: string;
  /** The proxy can stand in front of it, in one mode or another. */
  readonly served: boolean;
  readonly findings: readonly Finding[];
};

/** Of an application that answers HTTP. */
const probes: readonly Probe[] = [
  headerCase,
  headSize,
  absoluteForm,
  oldVersion,
  headMethod,
  ...bodies,
  ...posts,
  expectContinue,
  pipelining,
  halfClose,
  connectionClose,
  keepAlive,
];

/** Takes at most a few dozen connections and `timeout` for each answer. Never rejects for what the application does. */
export async function diagnose(options: DoctorParameters): Promise<Report> {
  const target = new Target(options);
  const first = await tryFirst(target);
  if (first[0]?.outcome === 'unreachable') return { target: target.name, served: false, findings: first };
  const findings = [...first, ...(target.isBeside ? [] : [elsewhere]), ...(await probeOne(http2, target))];
  if (target.usual) for (const probe of probesFor(options)) findings.push(...(await probeOne(probe, target)));
  const served = findings.some(isWayIn);
  return { target: target.name, served, findings };
}

const elsewhere: Finding = {
  id: 'network',
  outcome: 'another-host',
  evidence: 'neither loopback nor a Unix socket',
  advice: 'Anyone in between can read and change what the proxy and the application say to each other',
  suggests: { allowPlainUpstream: true },
};

const probesFor = ({ probePost }: DoctorParameters) => probes.filter((each) => probePost || !posts.includes(each));

/** HTTP that the proxy accepts, or another way to serve it. */
const isWayIn = ({ id, outcome, suggests }: Finding) =>
  (id === 'http' && /^(http\/1\.[01]|endless)$/.test(outcome)) ||
  suggests?.mode === 'tcp' ||
  (id === 'h2c' && outcome === 'spoken');

async function tryFirst(target: Target): Promise<readonly Finding[]> {
  try {
    return await firstAnswer(target);
  } catch (error) {
    const advice = 'Is it running, and does it listen there?';
    return [{ id: 'http', outcome: 'unreachable', evidence: reasonOf(error), advice }];
  }
}

async function probeOne(probe: Probe, target: Target): Promise<readonly Finding[]> {
  try {
    return [await probe.find(target)].flat();
  } catch (error) {
    return [{ id: probe.id, outcome: 'unknown', evidence: reasonOf(error) }];
  }
}
