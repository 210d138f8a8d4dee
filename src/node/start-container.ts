/** From a planned container to a running one: image, configuration, create, start, each with upstream's events. */

import type { Pod } from '../apis/core/types.gen.ts'
import type { Clock } from '../base/clock.ts'
import { messageOf } from '../base/error-text.ts'
import type { EventRecorder } from '../client/events.ts'
import { containerConfig } from './container-spec.ts'
import { type EnvironmentSources, environmentOf } from './environment.ts'
import { fieldPathOf, type StartContainer, type StartRequest } from './execute.ts'
import { expand } from './expansion.ts'
import { createImagePuller, type ImagePuller, type PullCredentials } from './images/pull-image.ts'
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
  readonly pullCredentials: (pod: Pod, image: string) => PullCredentials | undefined
  readonly clock: Clock
}

/** Until a container whose configuration is not complete (a missing ConfigMap, say) is tried again. */
const CONFIGURATION_RETRY_MS = 2_000
const HOSTS_PATH = '/etc/hosts'
const RESOLV_CONF_PATH = '/etc/resolv.conf'

export function createStartContainer(parts: StartContainerParts): StartContainer {
  const images = createImagePuller(parts)
  return async (pod, request) => {
    try {
      return { containerId: await start(parts, images, pod, request) }
    } catch (error) {
      return failureOf(parts, images, pod, request, error)
    }
  }
}

function failureOf(
  { events, clock }: StartContainerParts,
  images: ImagePuller,
  pod: Pod,
  { container, signal }: StartRequest,
  error: unknown,
): StartFailure {
  const reason = error instanceof RuntimeError ? error.reason : 'CreateContainerError'
  const message = messageOf(error)
  const soon = clock.now() + CONFIGURATION_RETRY_MS
  if (signal.aborted) return { reason, message, retryAtMs: soon }
  // A failed pull has told its own story.
  const text = images.retryAtMs(pod, container) > clock.now() ? reason : message
  events.event(pod, 'Warning', 'Failed', `Error: ${text}`, fieldPathOf(container))
  const retryAtMs = reason === 'ImagePullBackOff' ? images.retryAtMs(pod, container) : soon
  return { reason, message, retryAtMs }
}

async function start(
  parts: StartContainerParts,
  images: ImagePuller,
  pod: Pod,
  request: StartRequest,
): Promise<string> {
  const { runtime, events } = parts
  const { container, sandbox, signal } = request
  const where = fieldPathOf(container)
  const podIps = pod.spec?.hostNetwork ? [parts.sources.hostIp] : sandbox.ips
  const [image, files] = await Promise.all([
    images.ensure(pod, container, signal),
    nodeFiles(parts, pod, request, podIps),
  ])
  const config = await configure(parts, pod, request, { image, files, podIps })
  signal.throwIfAborted()
  const id = await runtime.createContainer(sandbox.id, config).catch(rethrowAs('CreateContainerError'))
  events.event(pod, 'Normal', 'Created', 'Container created', where)
  signal.throwIfAborted()
  await runtime.startContainer(id).catch(rethrowAs('RunContainerError'))
  events.event(pod, 'Normal', 'Started', 'Container started', where)
  return id
}

function rethrowAs(reason: string): (error: unknown) => never {
  return (error) => {
    throw error instanceof RuntimeError ? error : new RuntimeError(reason, messageOf(error))
  }
}

interface NodeFiles {
  readonly mounts: readonly Mount[]
  readonly terminationLog: string
}

interface Prepared {
  readonly image: ImageStatus
  readonly files: NodeFiles
  readonly podIps: readonly string[]
}

async function configure(
  parts: StartContainerParts,
  pod: Pod,
  { container, attempt, restartDelayMs }: StartRequest,
  { image, files, podIps }: Prepared,
) {
  const { runtime, volumes, sources, memoryCapacityBytes } = parts
  const environment = environmentOf({ pod, podIps, container: container.spec, sources })
  const expanded = (text: string) => expand(text, (name) => environment.get(name))
  const own = await volumes.mounts(pod, container.spec, expanded)
  const taken = new Set(own.map(({ target }) => target))
  const ofNode = files.mounts.filter(({ target }) => !taken.has(target))
  const { terminationLog } = files
  const mounts = [
    ...own,
    ...ofNode,
    bind(terminationLog, container.spec.terminationMessagePath ?? '/dev/termination-log'),
  ]
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
    restartDelayMs,
    targetContainerId,
  })
}

/** The files a node makes for every container. A volume that is mounted at the same place comes before them. */
async function nodeFiles(
  { directory, dns, nodeHosts }: StartContainerParts,
  pod: Pod,
  { container, attempt }: StartRequest,
  podIps: readonly string[],
): Promise<NodeFiles> {
  const uid = pod.metadata.uid ?? ''
  const [hosts, resolver, terminationLog] = await Promise.all([
    directory.write(uid, 'etc-hosts', hostsFile(pod, podIps, dns.domain, nodeHosts)),
    directory.write(uid, 'resolv.conf', resolvConf(pod, dns)),
    directory.terminationLog(uid, container.spec.name, attempt),
  ])
  return { mounts: [bind(hosts, HOSTS_PATH), bind(resolver, RESOLV_CONF_PATH)], terminationLog }
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
