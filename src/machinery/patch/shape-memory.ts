/**
 * What follows from a schema and the shape of a value alone: which fields, keys and items it has, whatever they hold.
 * Objects of one template have one shape, so it is made once and found by a text of the shape afterwards.
 */

import { LruMap } from '../../base/lru.ts'
import type { Schema } from '../schema/schema.ts'

/** Shapes remembered per schema: more than a cluster has templates of one kind. A set is a few KB. */
const SHAPES_MAX = 200

/** Characters of a shape that is worth remembering: a pod of 10 KB has 3,000. */
const SHAPE_CHARACTERS_MAX = 10_000

export class ShapeMemory<Made extends object> {
  readonly #bySchema = new WeakMap<Schema, LruMap<string, Made>>()

  /** What `make` answers for a value of this shape. */
  of(schema: Schema, shape: string, make: () => Made): Made {
    if (shape.length > SHAPE_CHARACTERS_MAX) return make()
    let known = this.#bySchema.get(schema)
    if (known === undefined) {
      known = new LruMap(SHAPES_MAX)
      this.#bySchema.set(schema, known)
    }
    const found = known.get(shape)
    if (found !== undefined) return found
    const made = make()
    known.set(shape, made)
    return made
  }
}
