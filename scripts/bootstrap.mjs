// Runs a task of the project on a fresh machine: installs the dependencies when they are missing or stale, then
// hands over to the task's TypeScript on the Node that came with them. Plain JavaScript, so that any Node ≥ 18 can.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const [task = '', ...rest] = process.argv.slice(2)
const script = join(root, 'scripts', `${task}.ts`)
const binaries = join(root, 'node_modules', '.bin')
const node = join(root, 'node_modules', 'node', 'bin', 'node')
const stamp = join(root, 'node_modules', '.t8s-installed')

if (!/^[a-z0-9]+$/.test(task) || !existsSync(script)) {
  console.error(`t8s: there is no task "${task}"; see "scripts" in package.json`)
  process.exit(2)
}

install()
process.exit(run(existsSync(node) ? node : process.execPath, [script, ...rest]))

/** Installs once per lock file: nothing happens when it has not changed since. */
function install() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return
  if (lstatSync(join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) {
    console.error('t8s: node_modules is a link, and what it leads to is not as this package-lock.json says')
    process.exit(1)
  }
  console.error('t8s: installing dependencies (npm ci) …')
  const code = run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], 2)
  if (code !== 0) {
    console.error('t8s: npm ci failed; mend what it says above and run the command again')
    process.exit(code)
  }
  writeFileSync(stamp, lock)
}

/** The exit code of a command that shares this terminal. `output` 2: what it prints goes to standard error. */
function run(command, parameters, output = 1) {
  const path = `${binaries}:${process.env.PATH ?? ''}`
  const result = spawnSync(command, parameters, {
    stdio: ['inherit', output, 'inherit'],
    env: { ...process.env, PATH: path },
  })
  if (result.error) console.error(`t8s: ${command} could not be started: ${result.error.message}`)
  return result.status ?? 1
}
