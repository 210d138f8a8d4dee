/** Which container of a pod a request means, and where its kubelet serves it. Pure; texts are upstream's. */

import { badRequest, invalid } from '../machinery/meta/api-error.ts'
import { type FieldError, FieldPath, invalidValue } from '../machinery/meta/field-error.ts'
import type { KubeObject } from '../machinery/meta/object.ts'

interface Named {
  readonly name: string
}

/** As much of a pod as is needed here. */
export interface StreamedPod extends KubeObject {
  readonly spec: {
    readonly nodeName?: string | undefined
    readonly containers: readonly (Named & {
      readonly ports?: readonly { readonly containerPort: number }[] | undefined
    })[]
    readonly initContainers?: readonly Named[] | undefined
    readonly ephemeralContainers?: readonly Named[] | undefined
  }
  readonly status?: { readonly podIP?: string | undefined } | undefined
}

/** The asked container, or the only one. Throws `ApiError` 400. */
export function chooseContainer(pod: StreamedPod, asked: string): string {
  const podName = pod.metadata.name ?? ''
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec
  if (asked !== '') {
    const known = [...containers, ...initContainers, ...ephemeralContainers].some(({ name }) => name === asked)
    if (!known) throw badRequest(`container ${asked} is not valid for pod ${podName}`)
    return asked
  }
  const [only] = containers
  if (only && containers.length === 1) return only.name
  const choices = `, choose one of: [${names(containers)}]`
  const others = initContainers.length === 0 ? '' : ` or one of the init containers: [${names(initContainers)}]`
  throw badRequest(`a container name must be specified for pod ${podName}${choices}${others}`)
}

const names = (containers: readonly Named[]): string => containers.map(({ name }) => name).join(' ')

/** Throws `ApiError` 400 for a pod that is nowhere yet. */
export function nodeOf(pod: StreamedPod): string {
  const { nodeName } = pod.spec
  if (!nodeName) throw badRequest(`pod ${pod.metadata.name ?? ''} does not have a host assigned`)
  return nodeName
}

/** The kubelet's path for exec and attach: flags under the kubelet's names, only those that are set. */
export function commandPath(kind: 'exec' | 'attach', pod: StreamedPod, query: URLSearchParams): string {
  const container = chooseContainer(pod, query.get('container') ?? '')
  const parameters = new URLSearchParams()
  for (const [flag, name] of [
    ['stdin', 'input'],
    ['stdout', 'output'],
    ['stderr', 'error'],
    ['tty', 'tty'],
  ] as const)
    if (isSet(query.get(flag))) parameters.append(name, '1')
  if (kind === 'exec') for (const part of query.getAll('command')) parameters.append('command', part)
  return `/${kind}/${podPath(pod)}/${encodeURIComponent(container)}?${parameters}`
}

export function portForwardPath(pod: StreamedPod, query: URLSearchParams): string {
  const parameters = new URLSearchParams()
  for (const port of query.getAll('ports')) parameters.append('port', port)
  const text = parameters.toString()
  return `/portForward/${podPath(pod)}${text === '' ? '' : `?${text}`}`
}

const LOG_FLAGS = ['follow', 'previous', 'timestamps'] as const
/** With the least value each may have. */
const LOG_NUMBERS = [
  ['sinceSeconds', 1],
  ['tailLines', 0],
  ['limitBytes', 1],
] as const

/** Throws `ApiError` 400 for the container, 422 for the options. */
export function logPath(pod: StreamedPod, query: URLSearchParams): string {
  const errors = LOG_NUMBERS.flatMap(([name, least]) => numberErrors(name, query.get(name), least))
  if (query.has('sinceSeconds') && query.has('sinceTime'))
    errors.push({
      type: 'FieldValueForbidden',
      path: '',
      message: 'Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified',
    })
  if (errors.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, pod.metadata.name ?? '', errors)
  const container = chooseContainer(pod, query.get('container') ?? '')
  const parameters = new URLSearchParams()
  for (const flag of LOG_FLAGS) if (isSet(query.get(flag))) parameters.append(flag, 'true')
  for (const name of [...LOG_NUMBERS.map(([number]) => number), 'sinceTime', 'stream'])
    if (query.has(name)) parameters.append(name, query.get(name) ?? '')
  return `/containerLogs/${podPath(pod)}/${encodeURIComponent(container)}?${parameters}`
}

function numberErrors(name: string, text: string | null, least: number): FieldError[] {
  if (text === null) return []
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN
  if (value >= least) return []
  const detail = least === 0 ? 'must be greater than or equal to 0' : `must be greater than 0`
  return [invalidValue(new FieldPath(name), Number.isNaN(value) ? text : value, detail)]
}

function podPath({ metadata }: StreamedPod): string {
  return `${encodeURIComponent(metadata.namespace ?? '')}/${encodeURIComponent(metadata.name ?? '')}`
}

function isSet(value: string | null): boolean {
  return value !== null && value !== '0' && value.toLowerCase() !== 'false'
}
