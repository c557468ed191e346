/**
 * node read-report.mjs REPORT: of vitest's JSON report, how many tests passed, failed and were skipped; then those that
 * failed, a line each, with their files and what was wrong. Exits with 0 whatever it finds.
 */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { stripVTControlCharacters } from 'node:util'

const mostLetters = 300

function firstLine(text) {
  return stripVTControlCharacters(text ?? '')
    .split('\n', 1)[0]
    .slice(0, mostLetters)
}

/** A file without a failed test has failed before them: what it imports, or its set-up. */
function failuresOf({ name, status, message, assertionResults }) {
  const file = path.relative(process.cwd(), name)
  const failed = assertionResults.filter((one) => one.status === 'failed')
  if (failed.length === 0) return status === 'failed' ? [`${file}: ${firstLine(message)}`] : []
  return failed.map(
    ({ fullName, failureMessages }) => `${file}: ${fullName}: ${firstLine(failureMessages[0])}`,
  )
}

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'))
const failures = report.testResults.flatMap(failuresOf)
const skipped = report.numPendingTests + report.numTodoTests
console.log([report.numPassedTests, failures.length, skipped].join(' '))
for (const failure of failures) console.log(failure)
