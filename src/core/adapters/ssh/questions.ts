/** A queue of questions: parallel hosts may all have one, and the user answers one at a time. */

let queue: Promise<unknown> = Promise.resolve();

/** Runs `question` after all earlier ones are answered. */
export function inTurn<Answer>(question: () => Promise<Answer>): Promise<Answer> {
  const mine = queue.then(question);
  queue = mine.catch(() => {});
  return mine;
}
