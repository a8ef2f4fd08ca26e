/** The turn-taking of questions: parallel hosts may all need a person, who can answer one at a time. */

let queue: Promise<unknown> = Promise.resolve();

/** Runs `question` when all earlier ones are answered. */
export function inTurn<Answer>(question: () => Promise<Answer>): Promise<Answer> {
  const mine = queue.then(question);
  queue = mine.catch(() => {});
  return mine;
}
