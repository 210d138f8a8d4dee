/** From a planned container to a running one: image, configuration, create, start, each with upstream's events. */

import type { Pod } from '../apis/core/types.gen.ts'
import { type Backoff, backoffMs } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import type { EventRecorder } from '../client/events.ts'
import { containerConfig } from './container-spec.ts'
import { type EnvironmentSources, environmentOf } from './environment.ts'
import { fieldPathOf, type StartContainer, type StartRequest } from './execute.ts'
import { messageOf } from './execute-error.ts'
import { expand } from './expansion.ts'
import type { PodDirectory } from './pod-directory.ts'
import { type DnsFacts, hostsFile, resolvConf } from './pod-files.ts'
import { type PodContainer, podContainers, type StartFailure } from './pod-view.ts'
import { type ContainerRuntime, type ImageStatus, type Mount, RuntimeError } from './runtime/runtime.ts'
import type { PodVolumes } from './volumes/volume.ts'

export interface StartContainerParts {
  readonly runtime: ContainerRuntime
  readonly volumes: PodVolumes
  readonly directory: PodDirectory
  readonly events: EventRecorder
  readonly sources: EnvironmentSources
  readonly dns: DnsFacts
  /** Text of the machine's /etc/hosts, for pods on the host network. */
  readonly nodeHosts: string
  readonly memoryCapacityBytes: number
  readonly pullCredentials: (
    pod: Pod,
    image: string,
  ) => { readonly username: string; readonly password: string } | undefined
  readonly clock: Clock
}

/** Between attempts to pull an image, as upstream. */
const PULL_RETRY: Backoff = { initialMs: 10_000, factor: 2, maxMs: 300_000 }
/** Until a container whose configuration is not complete (a missing ConfigMap, say) is tried again. */
const CONFIGURATION_RETRY_MS = 2_000
const HOSTS_PATH = '/etc/hosts'
const RESOLV_CONF_PATH = '/etc/resolv.conf'
/** Reasons that come from the image: their back-off is the pull's. */
const IMAGE_REASONS: ReadonlySet<string> = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'RegistryUnavailable',
])

export function createStartContainer(parts: StartContainerParts): StartContainer {
  const attempts = new Map<string, number>()
  return async (pod, request) => {
    const key = `${pod.metadata.uid}/${request.container.spec.name}`
    try {
      const containerId = await start(parts, pod, request)
      attempts.delete(key)
      return { containerId }
    } catch (error) {
      const failures = attempts.get(key) ?? 0
      attempts.set(key, failures + 1)
      return failureOf(parts, pod, request, error, failures)
    }
  }
}

function failureOf(
  { events, clock }: StartContainerParts,
  pod: Pod,
  { container }: StartRequest,
  error: unknown,
  failures: number,
): StartFailure {
  const reason = error instanceof RuntimeError ? error.reason : 'CreateContainerError'
  const message = messageOf(error)
  const where = fieldPathOf(container)
  if (!IMAGE_REASONS.has(reason)) {
    events.event(pod, 'Warning', 'Failed', `Error: ${message}`, where)
    return { reason, message, retryAtMs: clock.now() + CONFIGURATION_RETRY_MS }
  }
  const { image } = container.spec
  if (reason === 'ErrImageNeverPull') {
    events.event(pod, 'Warning', 'ErrImageNeverPull', message, where)
    return { reason, message, retryAtMs: clock.now() + PULL_RETRY.initialMs }
  }
  events.event(pod, 'Warning', 'Failed', `Failed to pull image "${image}": ${message}`, where)
  events.event(pod, 'Warning', 'Failed', `Error: ${failures === 0 ? reason : 'ImagePullBackOff'}`, where)
  if (failures === 0) return { reason, message, retryAtMs: clock.now() + CONFIGURATION_RETRY_MS }
  events.event(pod, 'Normal', 'BackOff', `Back-off pulling image "${image}"`, where)
  const backoff = `Back-off pulling image "${image}": ${reason}: ${message}`
  return { reason: 'ImagePullBackOff', message: backoff, retryAtMs: clock.now() + backoffMs(PULL_RETRY, failures - 1) }
}

async function start(parts: StartContainerParts, pod: Pod, request: StartRequest): Promise<string> {
  const { runtime, events } = parts
  const { container, sandboxId } = request
  const where = fieldPathOf(container)
  const image = await ensureImage(parts, pod, container)
  const config = await configure(parts, pod, request, image)
  const id = await runtime.createContainer(sandboxId, config).catch(rethrowAs('CreateContainerError'))
  events.event(pod, 'Normal', 'Created', 'Container created', where)
  await runtime.startContainer(id).catch(rethrowAs('RunContainerError'))
  events.event(pod, 'Normal', 'Started', 'Container started', where)
  return id
}

function rethrowAs(reason: string): (error: unknown) => never {
  return (error) => {
    throw error instanceof RuntimeError ? error : new RuntimeError(reason, messageOf(error))
  }
}

async function ensureImage(
  { runtime, events, clock, pullCredentials }: StartContainerParts,
  pod: Pod,
  container: PodContainer,
): Promise<ImageStatus> {
  const { image: reference = '', imagePullPolicy } = container.spec
  const where = fieldPathOf(container)
  const present = await runtime.image(reference)
  if (present && imagePullPolicy !== 'Always') {
    events.event(
      pod,
      'Normal',
      'Pulled',
      `Container image "${reference}" already present on machine and can be accessed by the pod`,
      where,
    )
    return present
  }
  if (imagePullPolicy === 'Never')
    throw new RuntimeError(
      'ErrImageNeverPull',
      `Container image "${reference}" is not present with pull policy of Never`,
    )
  const startedMs = clock.monotonic()
  events.event(pod, 'Normal', 'Pulling', `Pulling image "${reference}"`, where)
  try {
    const pulled = await runtime.pullImage(reference, pullCredentials(pod, reference))
    const seconds = ((clock.monotonic() - startedMs) / 1000).toFixed(3)
    events.event(
      pod,
      'Normal',
      'Pulled',
      `Successfully pulled image "${reference}" in ${seconds}s (${seconds}s including waiting). Image size: ${pulled.sizeBytes} bytes.`,
      where,
    )
    return pulled
  } catch (error) {
    // A policy of Always asks the registry; an image that was made on this machine has none to ask.
    if (!present || present.digests.length > 0) throw error
    events.event(
      pod,
      'Normal',
      'Pulled',
      `Container image "${reference}" already present on machine and can be accessed by the pod`,
      where,
    )
    return present
  }
}

async function configure(
  parts: StartContainerParts,
  pod: Pod,
  { container, attempt, sandboxId }: StartRequest,
  image: ImageStatus,
) {
  const { runtime, volumes, directory, sources } = parts
  const uid = pod.metadata.uid ?? ''
  const sandbox = (await runtime.sandboxes(uid)).find(({ id }) => id === sandboxId)
  const podIps = pod.spec?.hostNetwork ? [sources.hostIp] : (sandbox?.ips ?? [])
  const environment = environmentOf({ pod, podIps, container: container.spec, sources })
  const expanded = (text: string) => expand(text, (name) => environment.get(name))
  const own = await volumes.mounts(pod, container.spec, expanded)
  const terminationLog = await directory.terminationLog(uid, container.spec.name, attempt)
  const mounts = [
    ...own,
    ...(await nodeMounts(parts, pod, podIps, own)),
    bind(terminationLog, container.spec.terminationMessagePath ?? '/dev/termination-log'),
  ]
  const { memoryCapacityBytes } = parts
  const targetContainerId = await targetOf(runtime, pod, container)
  return containerConfig({
    pod,
    container: container.spec,
    attempt,
    image,
    environment,
    mounts,
    terminationLog,
    memoryCapacityBytes,
    targetContainerId,
  })
}

/** The files a node makes for every container, unless a volume is mounted there. */
async function nodeMounts(
  { directory, dns, nodeHosts }: StartContainerParts,
  pod: Pod,
  podIps: readonly string[],
  own: readonly Mount[],
): Promise<readonly Mount[]> {
  const uid = pod.metadata.uid ?? ''
  const taken = new Set(own.map(({ target }) => target))
  const mounts: Mount[] = []
  if (!taken.has(HOSTS_PATH))
    mounts.push(
      bind(await directory.write(uid, 'etc-hosts', hostsFile(pod, podIps, dns.domain, nodeHosts)), HOSTS_PATH),
    )
  if (!taken.has(RESOLV_CONF_PATH))
    mounts.push(bind(await directory.write(uid, 'resolv.conf', resolvConf(pod, dns)), RESOLV_CONF_PATH))
  return mounts
}

function bind(source: string, target: string): Mount {
  return { source, target, readOnly: false, propagation: 'private' }
}

async function targetOf(runtime: ContainerRuntime, pod: Pod, { spec }: PodContainer): Promise<string | undefined> {
  const target = 'targetContainerName' in spec ? spec.targetContainerName : undefined
  if (!target || !podContainers(pod).some((candidate) => candidate.spec.name === target)) return undefined
  const running = (await runtime.containers(pod.metadata.uid)).find(
    ({ name, state }) => name === target && state === 'running',
  )
  if (!running)
    throw new RuntimeError('CreateContainerConfigError', `container "${target}" to share processes with is not running`)
  return running.id
}
