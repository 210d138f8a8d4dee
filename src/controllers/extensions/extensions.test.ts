import { describe, expect, test } from 'vitest'
import { customApiService } from '../../apis/apiregistration/automanaged.ts'
import type { FlowSchema } from '../../apis/flowcontrol/types.gen.ts'
import { planRegistration } from './auto-register.ts'
import { planFlowSchemaStatus } from './flow-schema-status.ts'

const NOW_MS = Date.parse('2026-01-01T00:00:00Z')
const wanted = customApiService({ group: 'example.com', version: 'v1' })

describe('registrations of custom resources', () => {
  const foreign = { ...wanted, metadata: { name: 'v1.example.com' } }
  const changed = { ...wanted, spec: { ...wanted.spec, versionPriority: 1 } }

  test.each<readonly [string, Parameters<typeof planRegistration>[0], string | undefined]>([
    ['are made when something is served', { current: undefined, wanted }, 'create'],
    ['stay when they are right', { current: wanted, wanted }, undefined],
    ['are put right', { current: changed, wanted }, 'update'],
    ['go with the last version', { current: wanted, wanted: undefined }, 'delete'],
    ['are left alone when they are somebody else’s', { current: foreign, wanted: undefined }, undefined],
    ['are nothing where nothing is served', { current: undefined, wanted: undefined }, undefined],
  ])('%s', (_, view, expected) => {
    expect(planRegistration(view).actions.map((action) => action.do)).toEqual(expected === undefined ? [] : [expected])
  })
})

describe('flow schemas', () => {
  const schema: FlowSchema = {
    metadata: { name: 'a' },
    spec: { priorityLevelConfiguration: { name: 'level' } },
    status: { conditions: [{ type: 'Other', status: 'True' }] },
  }

  test('say that their level is missing, once', () => {
    const [action] = planFlowSchemaStatus({ schema, levelExists: false }, NOW_MS).actions
    const condition = {
      type: 'Dangling',
      status: 'True',
      reason: 'NotFound',
      message:
        'This FlowSchema references the PriorityLevelConfiguration object named "level" but there is no such object',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    }
    const status = { conditions: [{ type: 'Other', status: 'True' }, condition] }
    expect(action).toMatchObject({ do: 'update-status', object: { status } })
    expect(planFlowSchemaStatus({ schema: { ...schema, status }, levelExists: false }, NOW_MS).actions).toEqual([])
  })

  test('say that their level is there', () => {
    const [action] = planFlowSchemaStatus({ schema, levelExists: true }, NOW_MS).actions
    expect(action).toMatchObject({
      object: { status: { conditions: [{}, { type: 'Dangling', status: 'False', reason: 'Found' }] } },
    })
  })
})
