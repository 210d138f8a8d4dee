/**
 * `npm run bench:check`: the newest full run in `bench/results` against the goals and against the run before it on the
 * same kind of machine. Fails when something has become worse than chance explains.
 */

import { isSameMachine } from '../bench/machine.ts'
import { regressionsBetween, unreachedIn } from '../bench/regressions.ts'
import { fullReports, goalText, ratioText } from '../bench/report.ts'
import { say } from './command.ts'

const [newest, ...older] = fullReports()
if (newest === undefined) say('there is no full run yet: npm run bench')
else {
  for (const line of unreachedIn(newest))
    say(`${line.verdict}: ${line.row}, ${line.figure}: ${ratioText(line)}, goal ${goalText(line)}`)
  const before = older.find(({ machine }) => isSameMachine(machine, newest.machine))
  const regressions = before ? regressionsBetween(before, newest) : []
  for (const { row, figure, text } of regressions) say(`worse than ${before?.date}: ${row}, ${figure}: ${text}`)
  process.exitCode = regressions.length > 0 ? 1 : 0
}
