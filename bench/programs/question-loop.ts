/** The other end of `harness/child.ts`: a program that is asked in lines of JSON and ends when nobody can ask any more. */
import { createInterface } from "node:readline";

/** Answers each line with a line, one after the other. What fails is answered with its error. */
export async function answerQuestions<Question>(
  answer: (question: Question) => Promise<unknown>,
): Promise<void> {
  for await (const line of createInterface({ input: process.stdin })) {
    let said: unknown;
    try {
      said = await answer(JSON.parse(line) as Question);
    } catch (error) {
      said = { error: error instanceof Error ? error.message : String(error) };
    }
    console.log(JSON.stringify(said));
  }
  process.exit();
}
