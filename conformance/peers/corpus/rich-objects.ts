/** Rich objects by `version kind`; several where a field decides what others may be. */

import { RICH_CORE } from './rich-core.ts'
import { RICH_OTHERS } from './rich-others.ts'

export const RICH: Readonly<Record<string, readonly object[]>> = { ...RICH_CORE, ...RICH_OTHERS }
