/** Flow control as a whole, on a clock that stands still: who belongs where, and what changes when objects do. */

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  MANDATORY_FLOWS,
  MANDATORY_LEVELS,
  SUGGESTED_FLOWS,
  SUGGESTED_LEVELS,
} from '../../apis/flowcontrol/built-in-flows.ts'
import type { FlowSchema, PriorityLevelConfiguration } from '../../apis/flowcontrol/types.gen.ts'
import { QuietAbort } from '../../base/deadline.ts'
import { createFakeClock, type FakeClock } from '../../base/fake-clock.ts'
import type { UserInfo } from '../../machinery/wire/message.ts'
import type { RequestTarget } from '../auth/authorizer.ts'
import { dumpLevels, dumpQueues, dumpRequests } from './dumps.ts'
import { createFlowControl, type FlowControl } from './flow-control.ts'
import { metricsText } from './metrics-text.ts'
import { AT_ONCE, type Pace, paceOf } from './pace.ts'
import type { Ticket } from './ticket.ts'
import type { ObjectStatistics } from './work.ts'

let clock: FakeClock
let objects: { schemas: FlowSchema[]; levels: PriorityLevelConfiguration[]; changedAt: number }
let stored: ObjectStatistics | undefined
let stopping: AbortController
beforeEach(() => {
  clock = createFakeClock()
  objects = { schemas: [], levels: [], changedAt: 0 }
  stored = undefined
  stopping = new AbortController()
})
afterEach(() => stopping.abort())

function open(seats?: number, pace: Pace = AT_ONCE): FlowControl {
  return createFlowControl({
    objects: {
      schemas: () => objects.schemas,
      levels: () => objects.levels,
      get changedAt() {
        return objects.changedAt
      },
    },
    statisticsOf: () => stored,
    ...{ clock, seats, pace, signal: stopping.signal },
  })
}

const named = <Spec>(specs: Readonly<Record<string, Spec>>) =>
  Object.entries(specs).map(([name, spec]) => ({ metadata: { name, uid: `uid of ${name}` }, spec }))

function change(edit: () => void): void {
  edit()
  objects.changedAt++
}

function withDefaults(): void {
  change(() => {
    objects.schemas = named({ ...MANDATORY_FLOWS, ...SUGGESTED_FLOWS })
    objects.levels = named({ ...MANDATORY_LEVELS, ...SUGGESTED_LEVELS })
  })
}

function addFlow(name: string, level: string, user: string, precedence: number, more: object = {}): void {
  const rules = [
    {
      subjects: [{ kind: 'User', user: { name: user } }],
      resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }],
    },
  ]
  const spec = { priorityLevelConfiguration: { name: level }, matchingPrecedence: precedence, rules, ...more }
  change(() => objects.schemas.push({ metadata: { name }, spec }))
}

function addLevel(name: string, limited: object): void {
  change(() => objects.levels.push({ metadata: { name }, spec: { type: 'Limited', limited } }))
}

const person = (name: string, ...groups: readonly string[]): UserInfo => ({
  name,
  groups: [...groups, 'system:authenticated'],
})

function resource(verb: string, path: string): RequestTarget {
  const [group = '', resource = '', subresource = '', namespace = ''] = path.split('|')
  return { type: 'resource', path: '/', verb, group, version: 'v1', namespace, resource, subresource, name: '' }
}

const plain = (path: string, verb = 'get'): RequestTarget => ({ type: 'path', path, verb })

const start = (control: FlowControl, user: UserInfo, target: RequestTarget, query = ''): Ticket =>
  control.start({ user, target, query: new URLSearchParams(query), inProcess: false })

const pods = resource('get', '|pods||default')
const jane = person('jane')

describe('with the defaults', () => {
  test.each<readonly [string, UserInfo, RequestTarget, string, string]>([
    ['a superuser', person('root', 'system:masters'), pods, 'exempt', 'exempt'],
    [
      'a probe of nobody',
      { name: 'system:anonymous', groups: ['system:unauthenticated'] },
      plain('/livez'),
      'probes',
      'exempt',
    ],
    ['a probe of one check', jane, plain('/readyz/storage'), 'probes', 'exempt'],
    ['another path', jane, plain('/metrics'), 'global-default', 'global-default'],
    ['a path that begins alike', jane, plain('/livezz'), 'global-default', 'global-default'],
    [
      'a lease of the scheduler',
      person('system:kube-scheduler'),
      resource('update', 'coordination.k8s.io|leases||kube-system'),
      'system-leader-election',
      'leader-election',
    ],
    [
      'a lease that it deletes',
      person('system:kube-scheduler'),
      resource('delete', 'coordination.k8s.io|leases||kube-system'),
      'kube-scheduler',
      'workload-high',
    ],
    [
      'a lease of an account of the system',
      person('system:serviceaccount:kube-system:x'),
      resource('get', 'coordination.k8s.io|leases||a'),
      'system-leader-election',
      'leader-election',
    ],
    [
      'a lease of another account',
      person('system:serviceaccount:kube-systems:x', 'system:serviceaccounts'),
      resource('get', 'coordination.k8s.io|leases||a'),
      'service-accounts',
      'workload-low',
    ],
    [
      "a node's status",
      person('system:node:a', 'system:nodes'),
      resource('patch', '|nodes|status|'),
      'system-node-high',
      'node-high',
    ],
    [
      "a node's lease",
      person('system:node:a', 'system:nodes'),
      resource('update', 'coordination.k8s.io|leases||kube-node-lease'),
      'system-node-high',
      'node-high',
    ],
    ["a node's pods", person('system:node:a', 'system:nodes'), resource('list', '|pods||'), 'system-nodes', 'system'],
    [
      'the controller manager',
      person('system:kube-controller-manager'),
      pods,
      'kube-controller-manager',
      'workload-high',
    ],
    [
      'a controller',
      person('system:serviceaccount:kube-system:x', 'system:serviceaccounts'),
      pods,
      'kube-system-service-accounts',
      'workload-high',
    ],
    ['somebody', jane, pods, 'global-default', 'global-default'],
    ['who is in no group at all', { name: 'x', groups: [] }, pods, 'catch-all', 'catch-all'],
  ])('%s has its schema and level', (_, user, target, schema, level) => {
    withDefaults()
    const { flow } = start(open(), user, target)
    expect([flow.schema, flow.level]).toEqual([schema, level])
    expect(flow.headers).toEqual({
      'x-kubernetes-pf-flowschema-uid': `uid of ${schema}`,
      'x-kubernetes-pf-prioritylevel-uid': `uid of ${level}`,
    })
  })

  test('users are flows of their own, and namespaces are for controllers', () => {
    withDefaults()
    const control = open()
    expect(start(control, jane, pods).flow.distinguisher).toBe('jane')
    expect(start(control, person('system:kube-scheduler'), pods).flow.distinguisher).toBe('default')
    expect(start(control, jane, pods).flow).toBe(start(control, person('jane'), pods).flow)
  })

  test('whoever comes into another group is looked at anew', () => {
    withDefaults()
    const control = open()
    expect(start(control, jane, pods).flow.schema).toBe('global-default')
    expect(start(control, person('jane', 'system:masters'), pods).flow.schema).toBe('exempt')
    expect(start(control, jane, pods).flow.schema).toBe('global-default')
  })
})

describe('the cost', () => {
  const million = { objects: 10_000, bytes: 10_000_000 }
  test.each<readonly [string, RequestTarget, string, ObjectStatistics | undefined, number]>([
    ['of one object', pods, '', million, 1],
    ['of a list of what nobody knows', resource('list', '|pods||'), '', undefined, 1],
    ['of an empty list', resource('list', '|pods||'), '', { objects: 0, bytes: 0 }, 1],
    ['of a short list', resource('list', '|pods||'), '', { objects: 100, bytes: 100_000 }, 1],
    ['of a longer list', resource('list', '|pods||'), '', { objects: 350, bytes: 350_000 }, 4],
    ["of a list of all, within the level's bound", resource('list', '|pods||'), '', million, 8],
    ['of a page', resource('list', '|pods||'), 'limit=150', million, 2],
    ['of one by name', { ...resource('list', '|pods||'), selectedName: 'a' } as RequestTarget, '', million, 1],
    ['of a watch from now on', resource('watch', '|pods||'), 'watch=1&resourceVersion=5', million, 1],
    ['of a watch that begins with all', resource('watch', '|pods||'), 'watch=1', million, 8],
    ['of a streamed list', resource('watch', '|pods||'), 'sendInitialEvents=true&resourceVersion=5', million, 8],
    ['of a write', resource('update', '|pods||default'), '', million, 1],
    ['of a path', plain('/metrics'), '', million, 1],
  ])('%s', (_, target, query, statistics, seats) => {
    withDefaults()
    stored = statistics
    expect(start(open(), jane, target, query).width).toBe(seats)
  })

  test('of older states is what is read, up to what their level bears', () => {
    withDefaults()
    stored = million
    const list = resource('list', '|pods||')
    const account = person('system:serviceaccount:a:x', 'system:serviceaccounts')
    expect(start(open(), account, list, 'resourceVersionMatch=Exact&resourceVersion=5').width).toBe(37)
    expect(start(open(), account, list, 'resourceVersionMatch=NotOlderThan&resourceVersion=5').width).toBe(10)
  })

  test('of a write grows with the watches that are told', () => {
    withDefaults()
    const control = open()
    const ending = new AbortController()
    const write = resource('update', '|pods||default')
    for (let count = 0; count < 24; count++) control.watching(resource('watch', '|pods||'), ending.signal)
    control.watching(resource('watch', '|pods||default'), ending.signal)
    control.watching(resource('watch', '|pods||other'), ending.signal)
    control.watching(resource('watch', '|secrets||'), ending.signal)
    const onNode = { ...resource('watch', '|pods||'), fieldSelector: 'spec.nodeName=a' }
    control.watching(onNode as RequestTarget, ending.signal)
    expect(start(control, jane, write)).toMatchObject({ seats: 1, finalSeats: 3, finalMs: 5 })
    expect(start(control, jane, resource('create', '|serviceaccounts|token|default')).finalSeats).toBe(0)
    ending.abort()
    expect(start(control, jane, write).finalSeats).toBe(0)
  })

  test('of a component of this process is one seat', () => {
    withDefaults()
    stored = million
    const target = resource('list', '|pods||')
    const ticket = open().start({ user: jane, target, query: new URLSearchParams(), inProcess: true })
    expect(ticket.width).toBe(1)
  })
})

describe('a request over the wire', () => {
  const queued = {
    nominalConcurrencyShares: 5,
    limitResponse: { type: 'Queue', queuing: { queues: 8, handSize: 2, queueLengthLimit: 5 } },
  }

  test('gives its seats back in the next turn when somebody waits for them', async () => {
    const control = open(2, paceOf(clock))
    addLevel('small', queued)
    addFlow('all', 'small', '*', 10, { distinguisherMethod: { type: 'ByUser' } })
    const first = start(control, jane, pods)
    const second = start(control, jane, pods)
    expect([first.standing, second.standing]).toEqual(['running', 'waiting'])
    const turn = control.turnOf(second, 15_000, { signal: new AbortController().signal })
    control.finish(first)
    expect(second.standing).toBe('waiting')
    await turn
    expect(second.standing).toBe('running')
  })

  test.each([
    ['a signal of its own', (abort: QuietAbort) => ({ signal: abort.signal, ownAbort: abort })],
    ['a signal that others have too', ({ signal }: QuietAbort) => ({ signal })],
  ])('waits as long as it may, or until its caller goes; with %s', async (_, callerOf) => {
    const control = open(2)
    addLevel('small', queued)
    addFlow('all', 'small', '*', 10)
    const caller = new QuietAbort()
    start(control, jane, pods)
    const [patient, gone] = [start(control, jane, pods), start(control, jane, pods)]
    const turns = [
      control.turnOf(patient, 15_000, callerOf(new QuietAbort())),
      control.turnOf(gone, 15_000, callerOf(caller)),
    ]
    caller.abort()
    await turns[1]
    expect([patient.standing, gone.standing]).toEqual(['waiting', 'time-out'])
    await clock.advance(15_000)
    await turns[0]
    expect(patient.standing).toBe('time-out')
  })

  test('is told to come again later and later, while many are turned away', async () => {
    const control = open(1)
    const refuse = () => control.retryAfter(start(control, { name: 'x', groups: [] }, pods))
    const told: number[] = []
    for (let second = 0; second < 8; second++) {
      for (let count = 0; count < 20; count++) told.push(refuse())
      await clock.advance(1_000)
    }
    expect(new Set(told)).toEqual(new Set([1, 2, 4, 8]))
  })
})

describe('objects', () => {
  test('that are missing and must be there are made up', () => {
    const control = open()
    expect(start(control, person('root', 'system:masters'), pods).flow.schema).toBe('exempt')
    expect(start(control, jane, pods).flow.schema).toBe('catch-all')
    expect(control.levels.map(({ name, limits }) => [name, limits.nominal])).toEqual([
      ['catch-all', 600],
      ['exempt', 0],
    ])
  })

  test('take effect when they change: the lower precedence first, then the name', () => {
    withDefaults()
    const control = open()
    expect(start(control, jane, pods).flow.schema).toBe('global-default')
    addFlow('for-jane', 'workload-low', 'jane', 500)
    expect(start(control, jane, pods).flow.schema).toBe('for-jane')
    addFlow('for-her', 'workload-low', 'jane', 500)
    expect(start(control, jane, pods).flow.schema).toBe('for-her')
    addFlow('first', 'workload-low', 'jane', 499)
    expect(start(control, jane, pods).flow.schema).toBe('first')
    expect(start(control, person('joe'), pods).flow.schema).toBe('global-default')
    change(() => (objects.schemas = objects.schemas.filter(({ spec }) => spec.matchingPrecedence !== 499)))
    expect(start(control, jane, pods).flow.schema).toBe('for-her')
  })

  test('that lead nowhere are passed over', () => {
    withDefaults()
    addFlow('for-jane', 'nowhere', 'jane', 2)
    expect(start(open(), jane, pods).flow.schema).toBe('global-default')
  })

  test('new levels divide the seats anew', () => {
    withDefaults()
    addLevel('mine', { nominalConcurrencyShares: 55, limitResponse: { type: 'Reject' } })
    const control = open()
    start(control, jane, pods)
    const limits = Object.fromEntries(control.levels.map(({ name, limits: { nominal } }) => [name, nominal]))
    expect(limits).toMatchObject({ mine: 110, 'global-default': 40, system: 60 })
  })

  test('a level that is deleted serves whom it holds, and is gone then', async () => {
    withDefaults()
    const limitResponse = { type: 'Queue', queuing: { queues: 1, handSize: 1, queueLengthLimit: 10 } }
    addLevel('tiny', { nominalConcurrencyShares: 1, borrowingLimitPercent: 0, limitResponse })
    addFlow('for-joe', 'tiny', 'joe', 500)
    const control = open(10)
    const [first, second] = [start(control, person('joe'), pods), start(control, person('joe'), pods)]
    expect([first.standing, second.standing]).toEqual(['running', 'waiting'])
    change(() => (objects.levels = objects.levels.filter(({ metadata }) => metadata.name !== 'tiny')))
    expect(start(control, person('joe'), pods).flow.schema).toBe('global-default')
    const quiescing = () => control.levels.filter(({ queues }) => queues.quiescing).map(({ name }) => name)
    expect(quiescing()).toEqual(['tiny'])
    expect(dumpLevels(control)).toMatch(/^tiny, +1, +false, +true, +1, +1, +1, +0, +0, +0$/m)
    control.finish(first)
    expect(second.standing).toBe('running')
    control.finish(second)
    expect(control.levels.map(({ name }) => name)).not.toContain('tiny')
  })

  test('limits follow demand every ten seconds', async () => {
    withDefaults()
    const control = open()
    const before = start(control, jane, pods)
    const limitOf = (name: string) => control.levels.find((level) => level.name === name)?.current ?? 0
    const start300 = Array.from({ length: 300 }, () => start(control, jane, pods))
    expect(limitOf('global-default')).toBe(56)
    expect(start300.filter(({ standing }) => standing === 'running').length).toBe(limitOf('global-default') - 1)
    await clock.advance(10_000)
    expect(limitOf('global-default')).toBeGreaterThan(200)
    expect(start300.filter(({ standing }) => standing === 'running').length).toBe(300)
    for (const ticket of [before, ...start300]) if (ticket.standing === 'running') control.finish(ticket)
  })
})

describe('it is shown', () => {
  test('by metrics under the names that dashboards know', async () => {
    withDefaults()
    const control = open()
    const ticket = start(control, jane, pods)
    await clock.advance(2_000)
    control.finish(ticket)
    const text = metricsText(control, clock.monotonic())
    const flow = 'priority_level="global-default",flow_schema="global-default"'
    for (const line of [
      `dispatched_requests_total{${flow}} 1`,
      `current_executing_requests{${flow}} 0`,
      `request_wait_duration_seconds_bucket{${flow},execute="true",le="0"} 1`,
      `request_execution_seconds_sum{${flow},type="regular"} 2`,
      `request_execution_seconds_bucket{${flow},type="regular",le="1"} 0`,
      `request_execution_seconds_bucket{${flow},type="regular",le="2"} 1`,
      `request_execution_seconds_bucket{${flow},type="regular",le="+Inf"} 1`,
      'nominal_limit_seats{priority_level="workload-low"} 245',
      'lower_limit_seats{priority_level="workload-low"} 24',
      'upper_limit_seats{priority_level="workload-low"} 845',
      'current_limit_seats{priority_level="leader-election"} 58',
      'priority_level_seat_utilization_count{phase="executing",priority_level="global-default"} 2000000000',
    ])
      expect(text.split('\n')).toContain(`apiserver_flowcontrol_${line}`)
    expect(text).not.toContain('flow_schema="system-nodes"')
    expect(text).toContain('# TYPE apiserver_flowcontrol_seat_fair_frac gauge')
    for (const line of text.trimEnd().split('\n'))
      expect(line).toMatch(/^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{.+\})? \S+)$/)
  })

  test('by dumps with the columns of upstream', () => {
    withDefaults()
    const control = open()
    start(control, person('a\nb'), pods)
    expect(dumpLevels(control).split('\n')[0]).toBe(
      'PriorityLevelName, ActiveQueues, IsIdle, IsQuiescing, WaitingRequests, ExecutingRequests, DispatchedRequests, ' +
        'RejectedRequests, TimedoutRequests, CancelledRequests',
    )
    expect(dumpLevels(control)).toMatch(/^global-default, +0, +false, +false, +0, +1, +1, +0, +0, +0$/m)
    expect(dumpQueues(control).split('\n').length).toBe(1 + 64 + 64 + 16 + 128 + 128 + 128 + 1)
    const lines = dumpRequests(control, true, (ms) => clock.now() - clock.monotonic() + ms).split('\n')
    expect(lines.length).toBe(3)
    expect(lines[1]?.split(/, +/)).toEqual([
      ...[
        'global-default',
        'global-default',
        expect.stringMatching(/^\d+$/),
        '-1',
        'a?b',
        '2026-01-01T00:00:00.000000Z',
      ],
      ...['1', '0', '0s', '2026-01-01T00:00:00.000000Z', 'a?b', 'get', '/', 'default', '', 'v1', 'pods', ''],
    ])
  })
})
