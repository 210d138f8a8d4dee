/** Every case, by theme. */

import type { Theme } from '../case.ts'
import { admission } from './admission.ts'
import { deleting, deletingCollections } from './deleting.ts'
import { discovery, openApi, paths } from './documents.ts'
import { forms } from './forms.ts'
import { applyPatches, jsonPatches, mergePatches, strategicPatches } from './patching.ts'
import { getting, listing } from './reading.ts'
import { callers, methods, reviews, subresources } from './subresources.ts'
import { watching } from './watching.ts'
import { creating, updating } from './writing.ts'

export const THEMES: readonly Theme[] = [
  getting,
  listing,
  creating,
  updating,
  jsonPatches,
  mergePatches,
  strategicPatches,
  applyPatches,
  deleting,
  deletingCollections,
  watching,
  forms,
  subresources,
  methods,
  reviews,
  callers,
  discovery,
  openApi,
  paths,
  admission,
]
