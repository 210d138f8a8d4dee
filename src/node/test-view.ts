/** Views of pods for tests of what is decided about them. */

import type { Pod } from '../apis/core/types.gen.ts'
import { NEW_POD, type PodMemory, type PodView } from './pod-view.ts'
import type { ContainerStatus, SandboxStatus } from './runtime/runtime.ts'

export const NOW_MS = Date.UTC(2026, 0, 1, 12)
const IDENTITY = { uid: 'uid-1', namespace: 'default', name: 'web-0' }

export function sandbox(parts: Partial<SandboxStatus> = {}): SandboxStatus {
  return {
    id: 'sandbox-0',
    pod: IDENTITY,
    attempt: 0,
    state: 'ready',
    createdAtMs: NOW_MS - 60_000,
    ips: ['10.0.0.5'],
    hostNetwork: false,
    ...parts,
  }
}

/** One instance of a container: `app` unless it says otherwise. */
export function instance(
  state: ContainerStatus['state'],
  { attempt = 0, name = 'app', ...parts }: Partial<ContainerStatus> = {},
): ContainerStatus {
  const startedAtMs = state === 'created' ? undefined : NOW_MS - 30_000
  const ended = state === 'exited' ? { finishedAtMs: NOW_MS - 1_000, exitCode: 0 } : {}
  return {
    id: `${name}-${attempt}`,
    sandboxId: 'sandbox-0',
    pod: IDENTITY,
    name,
    attempt,
    state,
    image: 'registry.example/app:1',
    imageId: 'sha256:1',
    createdAtMs: NOW_MS - 40_000,
    startedAtMs,
    annotations: {},
    ...ended,
    ...parts,
  }
}

export interface ViewParts {
  readonly sandboxes?: readonly SandboxStatus[]
  readonly containers?: readonly ContainerStatus[]
  readonly memory?: Partial<PodMemory>
  readonly nowMs?: number
}

/** A pod whose volumes are ready and whose sandbox runs, unless the parts say otherwise. */
export function view(
  pod: Pod,
  { sandboxes = [sandbox()], containers = [], memory, nowMs = NOW_MS }: ViewParts = {},
): PodView {
  const { metadata } = pod
  return {
    pod: { ...pod, metadata: { uid: 'uid-1', ...metadata } },
    sandboxes,
    containers,
    memory: { ...NEW_POD, volumesReady: true, sandboxAttempt: 1, ...memory },
    nowMs,
  }
}
