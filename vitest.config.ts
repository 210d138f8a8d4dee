/** Unit tests run beside the code and share a process; what spans components runs isolated, one file after the other. */

import { defineConfig } from 'vitest/config'

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
          pool: 'forks',
        },
      },
      {
        test: {
          name: 'system',
          include: ['test/docker/**/*.test.ts', 'test/system/**/*.test.ts', 'conformance/cases/**/*.test.ts'],
          testTimeout: 300_000,
          hookTimeout: 300_000,
          pool: 'forks',
          fileParallelism: false,
        },
      },
    ],
  },
})
