// Usage: node scripts/test-report.mjs REPORT [VITEST ARGUMENT…]
// Prints how many tests of vitest's JSON report passed, failed and were skipped. stderr gets what no test says: a skipped test is a failure,
// since what it needs is missing here (not where a run without root skips it); tests that
// passed only when they were tried again, which fail the run if there are more than three; and the files that took longest.
import { readFileSync } from 'node:fs';

const MAX_RETRIED = 3;
const LONGEST = 10;

const [report, ...words] = process.argv.slice(2);
const { testResults, numPassedTests, numFailedTests } = JSON.parse(readFileSync(report, 'utf8'));
const picked = words.some((word) => /^(-t|--testNamePattern)/.test(word));
const skips = process.getuid() !== 0 || picked;

const broken = testResults.filter(
  ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((one) => one.status === 'failed'),
);
for (const { name, message } of broken) console.error(`FAILED: ${name}\n${message}`);

const tests = testResults.flatMap(({ name, assertionResults }) =>
  assertionResults.map((one) => ({ ...one, place: `${name}: ${one.fullName}` })),
);
// Where tests were picked by name, the others count as no test at all.
const skipped = picked ? [] : tests.filter(({ status }) => !['passed', 'failed'].includes(status));
if (!skips)
  for (const { place } of skipped) console.error(`FAILED: skipped, so something that it needs is missing: ${place}`);

const retried = tests.filter(({ status, failureMessages }) => status === 'passed' && failureMessages.length > 0);
for (const { place, failureMessages } of retried)
  console.error(`passed only when tried again: ${place}\n  ${failureMessages[0].split('\n')[0]}`);
const tooMany = retried.length > MAX_RETRIED;
if (tooMany) console.error(`FAILED: ${retried.length} tests passed only when tried again; ${MAX_RETRIED} may`);

const seconds = ({ startTime, endTime }) => Math.round((endTime - startTime) / 1000);
const longest = testResults.toSorted((one, other) => seconds(other) - seconds(one)).slice(0, LONGEST);
console.error(`longest: ${longest.map((file) => `${file.name.split('/').at(-1)} ${seconds(file)} s`).join(', ')}`);

const failed = numFailedTests + broken.length + (skips ? 0 : skipped.length) + (tooMany ? 1 : 0);
console.log(numPassedTests, failed, skipped.length);
