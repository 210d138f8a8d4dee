/** What the macros with two variables (`transformMap` and its relatives) become. Folds grow their maps by themselves. */

import type { Library } from '../declarations.ts'
import { mapType } from '../types.ts'
import { A, B, declare, overload } from './declare.ts'

const MAP = mapType(A, B)

export const TWO_VARIABLES: Library = {
  name: 'cel.lib.ext.comprev2',
  functions: [
    declare('cel.@mapInsert', [
      overload('@mapInsert_map_key_value', [MAP, A, B], MAP),
      overload('@mapInsert_map_map', [MAP, MAP], MAP),
    ]),
  ],
}
