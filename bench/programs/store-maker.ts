/** Makes files of the durable store, by commits through an engine as a server has it. */
import { createEngine } from "../../packages/bridge/dist/server.js";
import { unpackRecords } from "../../packages/bridge/dist/storage/sqlite/batch.js";
import { openDatabase } from "../../packages/bridge/dist/storage/sqlite/driver.js";
import { createSession, dispatch, registerVariable, setVariable } from "./engine-commands.js";
import { answerQuestions } from "./question-loop.js";
import { SESSION, VARIABLE } from "./workload.js";

/**
 * `fill` makes a file with sessions of so many variables, each registered by a commit of its own, and closes it in an
 * orderly way. `tail` adds commits to a file and answers when they are durable; it does not close the file, so it can be
 * killed. Answers with what the tail holds, in commits.
 */
type Question = { readonly file: string; readonly sessions: number } & (
  | { readonly work: "fill"; readonly variables: number }
  | { readonly work: "tail"; readonly commits: number }
);

/** Commits that are made at a time, and about as many that share a row of the tail. */
const FILL_TOGETHER = 1_000;
const TAIL_TOGETHER = 50;

const sessionId = (i: number) => (i === 0 ? SESSION : `${SESSION}-${i}`);
const variableName = (i: number) => (i === 0 ? VARIABLE : `${VARIABLE}_${i}`);

await answerQuestions<Question>(async (question) => {
  const { file, sessions } = question;
  const engine = await createEngine({ store: `sqlite:${file}`, defaultTtlMs: 0 });
  if (question.work === "fill") {
    const { variables } = question;
    await inParts(sessions, FILL_TOGETHER, (i) => dispatch(engine, createSession(sessionId(i))));
    await inParts(sessions * variables, FILL_TOGETHER, (i) =>
      dispatch(engine, registerVariable(sessionId(i % sessions), variableName(Math.floor(i / sessions)))),
    );
    await engine.close();
  } else {
    await inParts(question.commits, TAIL_TOGETHER, (i) =>
      dispatch(engine, setVariable(sessionId(i % sessions))),
    );
  }
  return { tailCommits: await tailCommits(file) };
});

/** Does something so many times, some together. */
async function inParts(times: number, together: number, doIt: (i: number) => Promise<void>): Promise<void> {
  for (let i = 0; i < times; i += together) {
    await Promise.all(Array.from({ length: Math.min(together, times - i) }, (_, more) => doIt(i + more)));
  }
}

/** What has not been folded. */
async function tailCommits(file: string): Promise<number> {
  const db = await openDatabase(file, { readOnly: true });
  try {
    const rows = db.prepare("SELECT commits FROM tail").all();
    return rows.reduce((sum, { commits }) => sum + unpackRecords(commits as Uint8Array).length, 0);
  } finally {
    db.close();
  }
}
