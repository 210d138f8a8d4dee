/** Unit tests run beside the code and share a process; what spans components runs isolated, one file after the other. */

import { defineConfig } from 'vitest/config'

/** A condition is waited for until a machine that does much else at the same time has had its turn. */
const expect = { poll: { timeout: 30_000 } }

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'src/**/*.test.ts',
            'openapi/**/*.test.ts',
            'conformance/*.test.ts',
            'bench/*.test.ts',
            'test/tidy.test.ts',
          ],
          setupFiles: ['test/support/whole-tls.ts'],
          testTimeout: 60_000,
          expect,
          isolate: false,
          pool: 'threads',
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/**/*.test.ts'],
          exclude: ['test/tidy.test.ts', 'test/docker/**', 'test/system/**'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          expect,
          pool: 'forks',
        },
      },
      {
        test: {
          name: 'system',
          include: ['test/docker/**/*.test.ts', 'test/system/**/*.test.ts', 'conformance/cases/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          expect,
          pool: 'forks',
          fileParallelism: false,
        },
      },
    ],
  },
})
