import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createTokenKeys } from './json-web-token.ts'
import { loadSigningKeys, replaceSigningKey, type SigningKeyFiles } from './signing-keys.ts'

let folder: string
let files: SigningKeyFiles
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 't8s-signing-'))
  files = { path: join(folder, 'pki', 'service-account.key'), former: join(folder, 'pki', 'former.pub') }
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('a key is made once, for its owner alone', async () => {
  const [key, ...others] = await loadSigningKeys(files)
  expect(await loadSigningKeys(files)).toEqual([key])
  expect(others).toEqual([])
  expect((await stat(files.path)).mode & 0o777).toBe(0o600)
})

test('the newest key signs, and every token of those before it is good', async () => {
  const tokens: string[] = []
  for (let round = 0; round < 3; round++) {
    tokens.push(await createTokenKeys(await loadSigningKeys(files)).sign({ round }))
    await replaceSigningKey(files)
  }
  const pems = await loadSigningKeys(files)
  const keys = createTokenKeys(pems)
  expect(await Promise.all(tokens.map((token) => keys.verify(token)))).toEqual([
    { round: 0 },
    { round: 1 },
    { round: 2 },
  ])
  expect((await keys.published()).keys).toHaveLength(4)
  expect(pems.filter((pem) => pem.includes('PRIVATE'))).toHaveLength(1)
  const kid = (token: string) => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).kid
  const published = (await keys.published()).keys.map((key) => key.kid)
  expect(published).toEqual([kid(await keys.sign({})), ...tokens.toReversed().map(kid)])
})

test('a key of which nothing is known any more is void', async () => {
  const token = await createTokenKeys(await loadSigningKeys(files)).sign({ a: 1 })
  await replaceSigningKey(files)
  await rm(files.former)
  await expect(createTokenKeys(await loadSigningKeys(files)).verify(token)).rejects.toThrow()
  expect(await readFile(files.path, 'utf8')).toContain('PRIVATE KEY')
})
