import { createServer } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { freePort, listeningInodes, portHolder } from './ports.ts'

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:192B 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 0100007F:192B 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0
`

test('reads who listens from the kernel’s table', () => {
  expect(listeningInodes(TABLE, 6443)).toEqual(['4711'])
  expect(listeningInodes(TABLE, 40_000)).toEqual([])
})

test('knows a free port, a port in use, and who has it', async () => {
  const port = await freePort('127.0.0.1', 0)
  expect(port).toBeGreaterThan(0)
  const server = createServer().listen(port, '127.0.0.1')
  onTestFinished(() => void server.close())
  await new Promise((resolve) => server.on('listening', resolve))
  expect(await freePort('127.0.0.1', port ?? 0)).toBeUndefined()
  if (process.platform === 'linux') expect(portHolder(port ?? 0)?.pid).toBe(process.pid)
})
