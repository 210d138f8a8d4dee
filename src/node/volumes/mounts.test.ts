import { expect, test } from 'vitest'
import { mountsBelow } from './mounts.ts'

test('finds what is mounted below a folder, the deepest first', () => {
  const info = `22 1 0:20 / /home rw - ext4 /dev/sda rw
30 22 0:50 / /home/u/t8s/a/b rw - tmpfs tmpfs rw
31 30 0:51 / /home/u/t8s/a/b/with\\040blank rw - tmpfs tmpfs rw
32 22 0:52 / /home/u/t8s-other rw - tmpfs tmpfs rw
`
  expect(mountsBelow('/home/u/t8s', info)).toEqual(['/home/u/t8s/a/b/with blank', '/home/u/t8s/a/b'])
})
