/** Defaults of containers of every sort: pull policy, termination message, ports, environment, probes, hooks. */

import { mapField, mapItems, withAbsent, withZero } from '../../../field-defaults.ts'
import type { Container, EnvVar, HTTPGetAction, LifecycleHandler, Probe } from '../../types.gen.ts'
import { imageTag } from '../image-reference.ts'
import { roundedResources } from '../resource-list.ts'

type AnyContainer = Omit<Container, 'restartPolicyRules'>

export function defaultContainer<T extends AnyContainer>(container: T): T {
  const filled = steps.reduce((result: AnyContainer, step) => step(result), container)
  return filled === container ? container : { ...container, ...filled }
}

const steps: readonly ((container: AnyContainer) => AnyContainer)[] = [
  (container) =>
    withZero(container, {
      imagePullPolicy: imageTag(container.image ?? '') === 'latest' ? 'Always' : 'IfNotPresent',
      terminationMessagePath: '/dev/termination-log',
      terminationMessagePolicy: 'File',
    }),
  (container) => withAbsent(container, { resources: {} }),
  (container) => mapField(container, 'resources', roundedResources),
  (container) =>
    mapField(container, 'ports', (ports) => mapItems(ports, (port) => withZero(port, { protocol: 'TCP' }))),
  (container) => mapField(container, 'env', (env) => mapItems(env, defaultVariable)),
  (container) => mapField(container, 'livenessProbe', defaultProbe),
  (container) => mapField(container, 'readinessProbe', defaultProbe),
  (container) => mapField(container, 'startupProbe', defaultProbe),
  (container) =>
    mapField(container, 'lifecycle', (lifecycle) =>
      mapField(mapField(lifecycle, 'postStart', defaultHandler), 'preStop', defaultHandler),
    ),
]

function defaultVariable(variable: EnvVar): EnvVar {
  return mapField(variable, 'valueFrom', (source) => {
    const withField = mapField(source, 'fieldRef', (field) => withZero(field, { apiVersion: 'v1' }))
    return mapField(withField, 'fileKeyRef', (file) => withAbsent(file, { optional: false }))
  })
}

function defaultProbe(probe: Probe): Probe {
  const timed = withZero(probe, { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 })
  return mapField(mapField(timed, 'httpGet', defaultHttpGet), 'grpc', (grpc) => withAbsent(grpc, { service: '' }))
}

function defaultHandler(handler: LifecycleHandler): LifecycleHandler {
  return mapField(handler, 'httpGet', defaultHttpGet)
}

function defaultHttpGet(action: HTTPGetAction): HTTPGetAction {
  return withZero(action, { path: '/', scheme: 'HTTP' })
}
