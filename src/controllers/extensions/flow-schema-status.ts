/** priority-and-fairness-config-consumer: says of every flow schema whether the priority level it names is there. */

import { DANGLING, flowSchemas } from '../../apis/flowcontrol/flow-schema.ts'
import { priorityLevelConfigurations } from '../../apis/flowcontrol/priority-level-configuration.ts'
import type { FlowSchema } from '../../apis/flowcontrol/types.gen.ts'
import { keyOf } from '../../machinery/meta/object.ts'
import { formatTime } from '../../machinery/meta/time.ts'
import { updateStatusAction } from '../runtime/action.ts'
import { defineController, type Plan } from '../runtime/controller.ts'

export interface FlowSchemaView {
  readonly schema: FlowSchema
  readonly levelExists: boolean
}

export const flowSchemaStatusController = defineController({
  name: 'priority-and-fairness-config-consumer',
  reconciles: flowSchemas,
  watches: [
    {
      definition: priorityLevelConfigurations,
      keysOf: ({ metadata }, cache) =>
        cache
          .list(flowSchemas)
          .filter(({ spec }) => spec.priorityLevelConfiguration.name === metadata.name)
          .map(keyOf),
    },
  ],
  observe: (cache, key): FlowSchemaView | undefined => {
    const schema = cache.get(flowSchemas, key)
    if (schema === undefined) return undefined
    const { name } = schema.spec.priorityLevelConfiguration
    return { schema, levelExists: cache.get(priorityLevelConfigurations, { name }) !== undefined }
  },
  plan: planFlowSchemaStatus,
})

export function planFlowSchemaStatus({ schema, levelExists }: FlowSchemaView, nowMs: number): Plan {
  const { name } = schema.spec.priorityLevelConfiguration
  const subject = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(name)}`
  const found = levelExists
    ? { status: 'False', reason: 'Found', message: `${subject} and it exists` }
    : { status: 'True', reason: 'NotFound', message: `${subject} but there is no such object` }
  const conditions = schema.status?.conditions ?? []
  const current = conditions.find(({ type }) => type === DANGLING)
  const isSame =
    current?.status === found.status && current.reason === found.reason && current.message === found.message
  if (isSame) return { actions: [] }
  const others = conditions.filter(({ type }) => type !== DANGLING)
  const condition = { type: DANGLING, ...found, lastTransitionTime: formatTime(nowMs) }
  return { actions: [updateStatusAction(flowSchemas, { ...schema, status: { conditions: [...others, condition] } })] }
}
