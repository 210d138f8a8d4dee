/** The libraries of Kubernetes 1.36's environments, in its versions. */

import type { Library } from '../declarations.ts'
import { TWO_VARIABLES } from '../library/comprehensions.ts'
import { LISTS } from '../library/lists.ts'
import { OPTIONALS } from '../library/optionals.ts'
import { REGEX } from '../library/regex.ts'
import { SETS } from '../library/sets.ts'
import { STRINGS } from '../library/strings.ts'
import { ADDRESSES } from './addresses.ts'
import { AUTHORIZATION } from './authorizer.ts'
import { NAMED_FORMATS } from './named-formats.ts'
import { QUANTITIES } from './quantities.ts'
import { SEMVERS } from './semver.ts'
import { URLS } from './urls.ts'

export const KUBERNETES_LIBRARIES: readonly Library[] = [
  URLS,
  REGEX,
  LISTS,
  AUTHORIZATION,
  OPTIONALS,
  QUANTITIES,
  STRINGS,
  SETS,
  ADDRESSES,
  NAMED_FORMATS,
  TWO_VARIABLES,
  SEMVERS,
]
