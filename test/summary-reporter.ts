import { writeFileSync } from 'node:fs'
import type { Reporter, SerializedError, TestModule } from 'vitest/node'

/**
 * Ends a run with `N passed, N failed`, and the skipped tests by name before it, so that a skip is seen.
 * A file that does not load, a hook that throws and an error outside of any test count as failures.
 * With TEST_SUMMARY_FILE in the environment the figures go there instead, as JSON.
 */
export class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const summary = { passed: 0, failed: errors.length, skipped: 0 }
    const skippedNames: string[] = []
    for (const module of modules) {
      if (module.errors().length > 0) summary.failed++
      for (const suite of module.children.allSuites()) if (suite.errors().length > 0) summary.failed++
      for (const test of module.children.allTests()) {
        const { state } = test.result()
        if (state === 'passed') summary.passed++
        else if (state === 'failed') summary.failed++
        else {
          summary.skipped++
          skippedNames.push(`${module.relativeModuleId} > ${test.fullName}`)
        }
      }
    }
    for (const name of skippedNames) process.stdout.write(`skipped: ${name}\n`)
    const file = process.env['TEST_SUMMARY_FILE']
    if (file !== undefined) return writeFileSync(file, JSON.stringify(summary))
    const skipped = summary.skipped > 0 ? `, ${summary.skipped} skipped` : ''
    process.stdout.write(`${summary.passed} passed, ${summary.failed} failed${skipped}\n`)
  }
}
