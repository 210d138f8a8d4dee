/**
 * Reads Ginkgo's verbose output line by line and tells each test that has finished. Of parallel processes it says
 *
 *     ------------------------------
 *     • [FAILED] [1.234 seconds]
 *     [sig-node] ConfigMap [It] should … [Conformance]
 *
 * and of a single one the name first, then what the test prints, then the line with the dot. Only names and states are
 * taken from here, for people who wait; what counts is in Ginkgo's report.
 */

export interface FinishedTest {
  readonly test: string
  readonly passed: boolean
  readonly seconds: number
}

const DELIMITER = '-'.repeat(30)
const HEADER = /^• (?:\[([A-Z ]+)\] )?\[([\d.]+) seconds\]$/

export function createProgressReader(onFinished: (test: FinishedTest) => void): (line: string) => void {
  let afterDelimiter = false
  let name: string | undefined
  let finished: Omit<FinishedTest, 'test'> | undefined
  const tell = (test: string) => {
    if (finished) onFinished({ test, ...finished })
    finished = undefined
    name = undefined
  }
  return (line) => {
    const [header, state, seconds] = HEADER.exec(line) ?? []
    if (header !== undefined) {
      finished = { passed: state === undefined, seconds: Number(seconds) }
      if (name !== undefined) tell(name)
    } else if (finished) tell(withoutMarks(line))
    else if (afterDelimiter && line.startsWith('[sig-')) name = withoutMarks(line)
    afterDelimiter = line === DELIMITER
  }
}

/** Ginkgo marks the part that failed, `[It]` or a `[BeforeEach]` around it, and puts the labels after the name. */
function withoutMarks(line: string): string {
  return line
    .replace(/ \[(?:It|BeforeEach|JustBeforeEach|AfterEach|DeferCleanup \(Each\))\]/, '')
    .replace(/ \[sig-[^\]]*\]$/, '')
}
