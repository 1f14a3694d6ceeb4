"""Carries the real Docker steps out, against the engine of DOCKER_HOST: the other half of engine_test.go.

Reads lines of JSON {"directory": …, "function": …, "inputs": …} and answers each with {"outputs": …} or {"error": …} on a line.
"""

import json
import os
import sys


def main():
    from prefect_docker.deployments import steps

    answers, sys.stdout = os.fdopen(os.dup(1), "w"), sys.stderr
    os.dup2(2, 1)  # what the steps print is no answer
    for line in sys.stdin:
        asked = json.loads(line)
        os.chdir(asked["directory"])
        try:
            answer = {"outputs": getattr(steps, asked["function"])(**asked["inputs"])}
        except Exception as fault:
            answer = {"error": f"{type(fault).__name__}: {fault}"}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


main()
