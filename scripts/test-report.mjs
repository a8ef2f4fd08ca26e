// Usage: node scripts/test-report.mjs REPORT [VITEST ARGUMENT…]
// Prints how many tests of vitest's JSON report passed, failed and were skipped, and names on stderr what no test says. A skipped test is a
// failure: what it needs is missing here. Only where tests were picked by name (-t) the others are left out on purpose.
import { readFileSync } from 'node:fs';

const [report, ...words] = process.argv.slice(2);
const { testResults, numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'));
const picked = words.some((word) => /^(-t|--testNamePattern)/.test(word));

const broken = testResults.filter(
  ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((one) => one.status === 'failed'),
);
for (const { name, message } of broken) console.error(`FAILED: ${name}\n${message}`);
const skipped = testResults.flatMap(({ name, assertionResults }) =>
  assertionResults
    .filter(({ status }) => !['passed', 'failed'].includes(status))
    .map((one) => `${name}: ${one.fullName}`),
);
if (!picked)
  for (const test of skipped) console.error(`FAILED: skipped, so something that it needs is missing: ${test}`);
console.log(numPassedTests, numFailedTests + broken.length + (picked ? 0 : skipped.length), skipped.length);
