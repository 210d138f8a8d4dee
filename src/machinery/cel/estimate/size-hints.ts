/** How large values of variables can be, told by the types of the variables. */

import type { Environment } from '../environment.ts'
import type { CelType } from '../types.ts'
import type { Range } from './range.ts'

/**
 * How large the value at a path can be: `['self', 'names', '@items']`. Steps are field names, `@items`, `@keys`,
 * `@values`. undefined: not known.
 */
export type SizeHints = (path: readonly string[]) => Range | undefined

export function hintsOfVariables(environment: Environment): SizeHints {
  return ([variable = '', ...steps]) => {
    let type = environment.variable(variable)
    for (const step of steps) type = type === undefined ? undefined : stepInto(type, step)
    return type === undefined ? undefined : sizeOfType(type)
  }
}

function stepInto(type: CelType, step: string): CelType | undefined {
  switch (step) {
    case '@items':
    case '@values':
      return type.kind === 'list' ? type.element : type.kind === 'map' ? type.value : undefined
    case '@keys':
      return type.kind === 'map' ? type.key : undefined
    default:
      return type.kind === 'object' ? type.field(step)?.type : undefined
  }
}

function sizeOfType(type: CelType): Range | undefined {
  switch (type.kind) {
    case 'string':
    case 'bytes':
    case 'list':
    case 'map':
    case 'dyn':
    case 'any':
    case 'timestamp':
    case 'duration':
      return type.maxSize === undefined ? undefined : { min: 0, max: type.maxSize }
    default:
      return { min: 0, max: 0 }
  }
}
