/** Container logs over HTTP: the options of PodLogOptions, in upstream's forms. */

import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Pod } from '../../apis/core/types.gen.ts'
import { badRequest } from '../../machinery/meta/api-error.ts'
import { parseTime } from '../../machinery/meta/time.ts'
import type { ContainerStatus } from '../runtime/runtime.ts'
import { findInstances, findPod } from './find-container.ts'
import type { KubeletRequest } from './kubelet-request.ts'

export interface LogWish {
  readonly follow: boolean
  readonly previous: boolean
  readonly timestamps: boolean
  readonly tailLines: number | undefined
  readonly limitBytes: number | undefined
  readonly sinceMs: number | undefined
  readonly stream: 'All' | 'Stdout' | 'Stderr'
}

export async function writeLogs(request: KubeletRequest, response: ServerResponse): Promise<void> {
  const { options, signal } = request
  const wish = readLogWish(request.query, options.clock.now())
  const [, , container = ''] = request.parts
  const instance = chooseInstance(findPod(request), container, await findInstances(request), wish.previous)
  response.writeHead(200, { 'Content-Type': 'text/plain' })
  response.flushHeaders()
  let left = wish.limitBytes ?? Number.POSITIVE_INFINITY
  const source = { follow: wish.follow, tailLines: wish.tailLines, sinceMs: wish.sinceMs }
  for await (const { timestamp, stream, bytes } of options.runtime.logs(instance.id, source, signal)) {
    if (wish.stream !== 'All' && wish.stream.toLowerCase() !== stream) continue
    const line = wish.timestamps ? Buffer.concat([Buffer.from(`${timestamp} `), bytes]) : bytes
    const sent = line.subarray(0, left)
    left -= sent.length
    if (!response.write(sent) && !signal.aborted) await Promise.race([once(response, 'drain'), once(response, 'close')])
    if (left <= 0 || signal.aborted) break
  }
  response.end()
}

/** Throws 400 for what is no option. */
export function readLogWish(query: URLSearchParams, nowMs: number): LogWish {
  const flag = (name: string) => query.get(name) === 'true' || query.get(name) === '1'
  const number = (name: string) => {
    const text = query.get(name)
    if (text === null || text === '') return undefined
    if (!/^\d+$/.test(text)) throw badRequest(`${name} must be a number that is not negative`)
    return Number(text)
  }
  const sinceSeconds = number('sinceSeconds')
  const sinceTime = query.get('sinceTime')
  const stream = query.get('stream')
  return {
    follow: flag('follow'),
    previous: flag('previous'),
    timestamps: flag('timestamps'),
    tailLines: number('tailLines'),
    limitBytes: number('limitBytes'),
    sinceMs: sinceSeconds === undefined ? (sinceTime ? parseTime(sinceTime) : undefined) : nowMs - sinceSeconds * 1000,
    stream: stream === 'Stdout' || stream === 'Stderr' ? stream : 'All',
  }
}

/**
 * The instance whose log is meant, as the pod's status shows it: what runs or ran last, or the run before. While a
 * container waits for its restart, the run that ended is both. Throws 400 when there is none.
 */
export function chooseInstance(
  pod: Pod,
  container: string,
  instances: readonly ContainerStatus[],
  previous: boolean,
): ContainerStatus {
  const statuses = pod.status ?? {}
  const status = [
    ...(statuses.containerStatuses ?? []),
    ...(statuses.initContainerStatuses ?? []),
    ...(statuses.ephemeralContainerStatuses ?? []),
  ].find(({ name }) => name === container)
  const [newest, ...older] = instances.filter(({ state }) => state !== 'created')
  const waits = newest?.state === 'exited' && status?.state?.waiting !== undefined
  const chosen = previous && !waits ? older.find(({ state }) => state === 'exited') : newest
  if (chosen) return chosen
  const where = `container "${container}" in pod "${pod.metadata.name}"`
  if (previous) throw badRequest(`previous terminated ${where} not found`)
  throw badRequest(`${where} is waiting to start: ${waitingText(status?.state?.waiting?.reason)}`)
}

function waitingText(reason = 'ContainerCreating'): string {
  if (reason === 'ErrImagePull') return "image can't be pulled"
  return reason === 'ImagePullBackOff' ? 'trying and failing to pull image' : reason
}
