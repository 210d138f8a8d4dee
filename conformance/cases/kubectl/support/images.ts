/**
 * Images for the cases, made of this machine's static busybox: nothing is pulled. Every image can do the same; they
 * differ in the word that their HTTP server answers with.
 */

import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { type Pack, pack } from 'tar-stream'
import type { DockerEngine } from '../../../../src/node/runtime/docker-engine.ts'

const BUSYBOX = '/bin/busybox'

const APPLETS = [
  ...['sh', 'cat', 'cp', 'cut', 'date', 'dd', 'echo', 'env', 'false', 'grep', 'head', 'hostname', 'httpd', 'id', 'ip'],
  ...[
    'kill',
    'ls',
    'mkdir',
    'mktemp',
    'mv',
    'nc',
    'nslookup',
    'ping',
    'printf',
    'ps',
    'rm',
    'sed',
    'seq',
    'sh',
    'sha256sum',
  ],
  ...[
    'sleep',
    'sort',
    'stat',
    'stty',
    'tail',
    'tar',
    'tee',
    'test',
    'touch',
    'tr',
    'true',
    'tty',
    'uniq',
    'wc',
    'wget',
    'yes',
  ],
]

/** What GET / answers: who serves, and what the pod was given. */
const PAGE = (word: string) => `#!/bin/sh
printf 'Content-Type: text/plain\\r\\n\\r\\n'
echo "${word} pod=$POD_NAME node=$NODE_NAME greeting=$GREETING secret=$(cat /etc/secret/token 2>/dev/null)"
`

/** The first process of a container ignores signals that it does not handle, so it waits for SIGTERM itself. */
const SERVE = `#!/bin/sh
trap 'kill $!; exit 0' TERM
echo "serving on 8080"
httpd -f -p 8080 -h /www &
wait $!
`

export function reasonForNoImages(): string | undefined {
  return existsSync(BUSYBOX) ? undefined : `no ${BUSYBOX} to make images of (package busybox-static)`
}

/** Makes the image `reference`, which runs \`serve\` unless told otherwise. */
export async function makeImage({ docker }: DockerEngine, reference: string, word: string): Promise<void> {
  const archive = pack()
  archive.entry({ name: 'bin/busybox', mode: 0o755 }, await readFile(BUSYBOX))
  for (const applet of new Set(APPLETS)) archive.entry({ name: `bin/${applet}`, type: 'symlink', linkname: 'busybox' })
  archive.entry({ name: 'bin/serve', mode: 0o755 }, SERVE)
  archive.entry({ name: 'www/cgi-bin/index.cgi', mode: 0o755 }, PAGE(word))
  archive.entry({ name: 'tmp', type: 'directory', mode: 0o1777 })
  await importImage(docker, reference, archive, ['ENV PATH=/bin', 'CMD ["/bin/serve"]'])
}

/** Makes an image of a static program, which runs with whatever parameters its containers have. */
export async function makeProgramImage({ docker }: DockerEngine, reference: string, path: string): Promise<void> {
  const archive = pack()
  archive.entry({ name: 'tmp', type: 'directory', mode: 0o1777 })
  archive.entry({ name: 'program', mode: 0o755 }, await readFile(path))
  await importImage(docker, reference, archive, ['ENTRYPOINT ["/program"]'])
}

async function importImage(
  docker: DockerEngine['docker'],
  reference: string,
  archive: Pack,
  changes: string[],
): Promise<void> {
  archive.finalize()
  const [repo = '', tag = ''] = reference.split(':')
  // A pack of tar-stream is a stream that can be read.
  const answer = await docker.importImage(archive as unknown as NodeJS.ReadableStream, { repo, tag, changes })
  for await (const _ of answer);
}
