import { describe, expect, test } from 'vitest'
import { container, pod } from '../../test/support/builders.ts'
import { NO_RESIZE } from './pod-view.ts'
import { grantResize, initialResize, RESOURCES, resizeConditions, resizeStep, sameResources } from './resize.ts'
import { instance, view } from './test-view.ts'

const cpu = (amount: string) => ({ requests: { cpu: amount } })
const podWith = (amount: string) => pod({ spec: { containers: [container({ resources: cpu(amount) })] } })
const never = () => undefined
const refuses = () => ({ reason: 'Deferred', message: 'no room' }) as const

describe('what is granted', () => {
  const before = { ...NO_RESIZE, allocated: new Map([['app', cpu('1')]]) }

  test('is what the spec asks for, when the node agrees', () => {
    expect(grantResize(podWith('2'), before, never).allocated.get('app')).toEqual(cpu('2'))
  })

  test('stays what it was, when the node does not, and says why', () => {
    const { allocated, refusal } = grantResize(podWith('2'), before, refuses)
    expect([allocated.get('app'), refusal]).toEqual([cpu('1'), refuses()])
  })

  test('needs nobody’s agreement when the amounts are equal', () => {
    expect(grantResize(podWith('1000m'), before, refuses)).toMatchObject({ refusal: undefined })
  })

  test('is no longer refused when the spec takes it back', () => {
    const refused = grantResize(podWith('2'), before, refuses)
    expect(grantResize(podWith('1'), refused, refuses).refusal).toBeUndefined()
  })

  test('is at first what the status of a running container tells', () => {
    const status = { name: 'app', image: '', imageID: '', ready: true, restartCount: 0, state: { running: {} } }
    const running = { ...podWith('2'), status: { containerStatuses: [{ ...status, resources: cpu('1') }] } }
    expect(initialResize(running).allocated.get('app')).toEqual(cpu('1'))
    expect(initialResize(podWith('2')).allocated.get('app')).toEqual(cpu('2'))
  })
})

test('amounts are compared, not their spelling', () => {
  expect(sameResources(cpu('1'), cpu('1000m'))).toBe(true)
  expect(sameResources(cpu('1'), {})).toBe(false)
  expect(sameResources({ limits: { memory: '1Gi' } }, { limits: { memory: '1024Mi' } })).toBe(true)
  expect(sameResources({ limits: { 'example.com/gpu': '1' } }, {})).toBe(true)
})

test('a running container has what it was created with until it was given something else', () => {
  const running = instance('running', { annotations: { [RESOURCES]: JSON.stringify(cpu('1')) } })
  const at = (applied: ReadonlyMap<string, object>, of = podWith('2')) =>
    view(of, { containers: [running], memory: { resize: { ...NO_RESIZE, applied } } })
  const target = { kind: 'main', spec: podWith('2').spec?.containers[0] ?? container() } as const
  expect(resizeStep(at(new Map()), target, running)).toBe('update')
  expect(resizeConditions(at(new Map()))).toEqual([{ type: 'PodResizeInProgress', status: 'True' }])
  expect(resizeStep(at(new Map([['app-0', cpu('2')]])), target, running)).toBe('none')
  expect(resizeConditions(at(new Map([['app-0', cpu('2')]])))).toEqual([])
})

test('a container of an earlier version of the agent, or with a spoilt annotation, is left alone', () => {
  for (const annotations of [{}, { [RESOURCES]: '{' }]) {
    const running = instance('running', { annotations })
    const target = { kind: 'main', spec: container({ resources: cpu('2') }) } as const
    expect(resizeStep(view(podWith('2'), { containers: [running] }), target, running)).toBe('none')
  }
})
