/** Probes and lifecycle hooks: exactly one way to ask, sensible times. */

import {
  type FieldError,
  type FieldPath,
  forbidden,
  invalidValue,
  required,
} from '../../../../machinery/meta/field-error.ts'
import { isHttpHeaderName, isValidPortName, isValidPortNumber } from '../../../../machinery/meta/names.ts'
import { findingErrors, nonNegative } from '../../../field-rules.ts'
import type { Container, HTTPGetAction, Lifecycle, LifecycleHandler, Probe, SleepAction } from '../../types.gen.ts'
import { requiredFields, validateChoice } from '../findings.ts'

/** What a probe or a hook may do. */
type Handler = Pick<Probe, 'exec' | 'httpGet' | 'tcpSocket' | 'grpc'> & Pick<LifecycleHandler, 'sleep'>

export function validateProbes(container: Container, graceSeconds: number, path: FieldPath): FieldError[] {
  const { livenessProbe, readinessProbe, startupProbe } = container
  const errors: FieldError[] = []
  if (livenessProbe) {
    errors.push(...validateProbe(livenessProbe, graceSeconds, path.child('livenessProbe')))
    errors.push(...validateSingleSuccess(livenessProbe, path.child('livenessProbe')))
  }
  if (readinessProbe) {
    const at = path.child('readinessProbe')
    errors.push(...validateProbe(readinessProbe, graceSeconds, at))
    if (readinessProbe.terminationGracePeriodSeconds !== undefined) {
      const detail = 'must not be set for readinessProbes'
      const value = readinessProbe.terminationGracePeriodSeconds
      errors.push(invalidValue(at.child('terminationGracePeriodSeconds'), value, detail))
    }
  }
  if (startupProbe) {
    errors.push(...validateProbe(startupProbe, graceSeconds, path.child('startupProbe')))
    errors.push(...validateSingleSuccess(startupProbe, path.child('startupProbe')))
  }
  return errors
}

export function validateLifecycle(
  lifecycle: Lifecycle | undefined,
  graceSeconds: number,
  path: FieldPath,
): FieldError[] {
  return (['postStart', 'preStop'] as const).flatMap((hook) => {
    const handler = lifecycle?.[hook]
    return handler ? validateHandler(handler, graceSeconds, path.child(hook)) : []
  })
}

const TIMES = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const

function validateProbe(probe: Probe, graceSeconds: number, path: FieldPath): FieldError[] {
  const errors = validateHandler(probe, graceSeconds, path)
  for (const field of TIMES) errors.push(...nonNegative(path.child(field), probe[field]))
  const grace = probe.terminationGracePeriodSeconds
  if (grace !== undefined && grace <= 0) {
    errors.push(invalidValue(path.child('terminationGracePeriodSeconds'), grace, 'must be greater than 0'))
  }
  return errors
}

/** One success is all that liveness and startup can mean. */
function validateSingleSuccess({ successThreshold }: Probe, path: FieldPath): FieldError[] {
  return successThreshold === 1 ? [] : [invalidValue(path.child('successThreshold'), successThreshold, 'must be 1')]
}

function validateHandler(handler: Handler, graceSeconds: number, path: FieldPath): FieldError[] {
  const kinds = (['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const).filter((kind) => handler[kind])
  const [first, ...others] = kinds
  if (first === undefined) return [required(path, 'must specify a handler type')]
  const { exec, httpGet, tcpSocket, grpc, sleep } = { [first]: handler[first] } as Handler
  const errors: FieldError[] = []
  if (exec) errors.push(...requiredFields(exec, ['command'], path.child('exec')))
  if (httpGet) errors.push(...validateHttpGet(httpGet, path.child('httpGet')))
  if (tcpSocket) errors.push(...validatePort(tcpSocket.port, path.child('tcpSocket', 'port')))
  if (grpc) errors.push(...validatePort(grpc.port, path.child('grpc', 'port')))
  if (sleep) errors.push(...validateSleep(sleep, graceSeconds, path.child('sleep')))
  const surplus = others.map((kind) => forbidden(path.child(kind), 'may not specify more than 1 handler type'))
  return [...errors, ...surplus]
}

function validateHttpGet(action: HTTPGetAction, path: FieldPath): FieldError[] {
  const errors = requiredFields(action, ['path'], path)
  errors.push(...validatePort(action.port, path.child('port')))
  errors.push(...validateChoice(action.scheme, ['HTTP', 'HTTPS'], path.child('scheme')))
  for (const header of action.httpHeaders ?? []) {
    errors.push(...findingErrors(path.child('httpHeaders'), header.name, isHttpHeaderName(header.name)))
  }
  return errors
}

/** A number, or the name of a port of the container. */
function validatePort(port: number | string, path: FieldPath): FieldError[] {
  const findings = typeof port === 'string' ? isValidPortName(port) : isValidPortNumber(port ?? 0)
  return findingErrors(path, port, findings)
}

function validateSleep({ seconds }: SleepAction, graceSeconds: number, path: FieldPath): FieldError[] {
  if (seconds >= 0 && seconds <= graceSeconds) return []
  const detail = `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`
  return [invalidValue(path, seconds, detail)]
}
