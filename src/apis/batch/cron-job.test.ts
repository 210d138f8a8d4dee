import { describe, expect, test } from 'vitest'
import { container } from '../../../test/support/builders.ts'
import { findings, row } from '../../../test/support/findings.ts'
import { cronJobs } from './cron-job.ts'

const template = { spec: { restartPolicy: 'Never', containers: [container()] } }

function cronJob(spec: object = {}, job: object = {}, name = 'nightly') {
  return { metadata: { name }, spec: { schedule: '0 0 * * *', jobTemplate: { spec: { template, ...job } }, ...spec } }
}

describe('cron jobs', () => {
  test('get policies and limits, and their template no defaults of jobs', () => {
    const { jobTemplate, ...spec } = cronJobs.default(cronJob() as Parameters<typeof cronJobs.default>[0]).spec
    expect(spec).toEqual({
      schedule: '0 0 * * *',
      concurrencyPolicy: 'Allow',
      suspend: false,
      successfulJobsHistoryLimit: 3,
      failedJobsHistoryLimit: 1,
    })
    expect(jobTemplate.spec).toEqual({ template: { spec: expect.objectContaining({ dnsPolicy: 'ClusterFirst' }) } })
  })

  for (const [expected, spec, job, name] of [
    [undefined, {}],
    [undefined, { schedule: '@hourly', timeZone: 'Pacific/Honolulu' }],
    ['spec.schedule: Required value', { schedule: '' }],
    ['spec.schedule: Invalid value: "error": expected exactly 5 fields, found 1: [error]', { schedule: 'error' }],
    [
      'spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
      { schedule: 'TZ=UTC 0 * * * *' },
    ],
    ['spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string', { timeZone: '' }],
    [
      'spec.timeZone: Invalid value: "Local": timeZone must be an explicit time zone as defined in ' +
        'https://www.iana.org/time-zones',
      { timeZone: 'Local' },
    ],
    ['spec.timeZone: Invalid value: "No/Zone": unknown time zone No/Zone', { timeZone: 'No/Zone' }],
    ['spec.timeZone: Invalid value: "asia/tokyo": unknown time zone asia/tokyo', { timeZone: 'asia/tokyo' }],
    ['spec.timeZone: Invalid value: "+05:30": unknown time zone +05:30', { timeZone: '+05:30' }],
    [
      'spec.concurrencyPolicy: Unsupported value: "Never": supported values: "Allow", "Forbid", "Replace"',
      { concurrencyPolicy: 'Never' },
    ],
    [
      'spec.startingDeadlineSeconds: Invalid value: -1: must be greater than or equal to 0',
      { startingDeadlineSeconds: -1 },
    ],
    [
      'spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` will be auto-generated',
      {},
      { selector: { matchLabels: { a: 'b' } } },
    ],
    [
      'spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"',
      {},
      { manualSelector: true },
    ],
    [
      'spec.jobTemplate.spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
      {},
      { template: { spec: { containers: [container()] } } },
    ],
    [`metadata.name: Invalid value: "${'a'.repeat(53)}": must be no more than 52 characters`, {}, {}, 'a'.repeat(53)],
  ] as readonly (readonly [string | undefined, object, object?, string?])[]) {
    test(expected ?? `take ${JSON.stringify(spec)}`, () => {
      const lines = findings(cronJobs, cronJob(spec, job, name)).map((line) => line.slice(line.indexOf(' ') + 1))
      expect(lines).toEqual(expected === undefined ? [] : [expected])
    })
  }

  test('show when they last ran', () => {
    const status = { active: [{ name: 'nightly-1' }], lastScheduleTime: '2025-12-31T23:58:30Z' }
    expect(row(cronJobs, { ...cronJob({ timeZone: 'Etc/UTC' }), status })).toMatchObject({
      Timezone: 'Etc/UTC',
      Suspend: 'False',
      Active: 1,
      'Last Schedule': '90s',
      Selector: '<none>',
    })
  })
})
