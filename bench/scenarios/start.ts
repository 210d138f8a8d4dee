/** A1: from the first process to `/readyz`, with an empty store. */

import { onSides } from '../on-sides.ts'

export const start = onSides({
  name: 'start',
  about: 'A1: an empty store until /readyz answers 200',
  wish: {},
  run: async ({ side }) => ({
    'A1 start to /readyz': { ms: side.readyMs, cpuMs: side.figures.cpuMs(), residentMb: side.figures.residentMb() },
  }),
})
