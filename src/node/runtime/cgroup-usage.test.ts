import { expect, test } from 'vitest'
import { cgroupUsage, controlGroups } from './cgroup-usage.ts'

test('version 1 has a group for each controller, and some share one', () => {
  const groups = controlGroups('4:memory:/docker/ab\n2:cpu,cpuacct:/docker/ab\n1:name=systemd:/x\n0::/docker/ab\n')
  expect([groups.get('memory'), groups.get('cpuacct'), groups.get('cpu')]).toEqual(Array(3).fill('/docker/ab'))
})

test('version 2 has one group, whose path may contain colons', () => {
  expect([...controlGroups('0::/system.slice/docker-ab.scope:1\n')]).toEqual([['', '/system.slice/docker-ab.scope:1']])
})

test('a process that does not exist has used nothing', async () => {
  expect(await cgroupUsage(2 ** 22 + 1)).toBeUndefined()
})
