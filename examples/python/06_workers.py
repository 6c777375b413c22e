"""A worker: a Python process that another program starts, steers through variables, and ends.

Start a bridge first. This program starts the worker, which is itself with the argument `work`; 06-workers.ts
starts it from TypeScript, where `startWorker` also starts it again when it crashes or hangs.
"""

import os
import subprocess
import sys

from snakepit_bridge import worker
from snakepit_bridge.sync import SessionContext


def steer() -> None:
    with SessionContext("worker-python", cache="off", timeout=30) as session:
        session.create_session(ttl=60)
        # `number` is what the worker is to do. The others are its answer, in one commit.
        session.ensure_variable("number", "float", 0.0, constraints={"min": 0})
        session.set_variables({"root_of": 0.0, "root": 0.0, "rounds": 0})

        # The supervisor runs a program, and ends it with all that it has started when its own input ends.
        command = [sys.executable, "-m", "snakepit_bridge.worker", __file__, "work"]
        environment = {**os.environ, "SNAKEPIT_BRIDGE_SESSION": session.session_id}
        with subprocess.Popen(command, stdin=subprocess.PIPE, env=environment):
            for number in (2, 144):
                session["number"] = number
                session.wait_for("root_of", lambda done, number=number: done == number)
                found = session.get_variables(["root", "rounds"])
                print(f"the root of {number} is {found['root']:.4f}, found in {found['rounds']} rounds")
        print("the worker is closed")
        session.delete_session()


def work() -> None:
    with SessionContext(os.environ["SNAKEPIT_BRIDGE_SESSION"], cache="off") as session:
        worker.ready()
        done = 0.0
        while True:
            number = session.wait_for("number", lambda number, done=done: number != done, timeout=3600)
            root, rounds = number, 0
            while abs(root * root - number) > 1e-9 * number:
                root, rounds = (root + number / root) / 2, rounds + 1
            session.set_variables({"root_of": number, "root": root, "rounds": rounds})
            done = number


if sys.argv[1:] == ["work"]:
    work()
else:
    steer()

# Prints:
#   the root of 2 is 1.4142, found in 4 rounds
#   the root of 144 is 12.0000, found in 8 rounds
#   the worker is closed
