"""Has the real git_clone carry out the cases that git_real_test.go hands over, and writes what each call gave.

usage: record_git.py CASES ANSWERS (both JSON). A case is {name, dir, ops}; an op is {clone: inputs} or {run: words}. What lies on the disk afterwards is looked at by the test, by the same eyes for both
sides. The pauses between Prefect's attempts are left out; nothing else is touched.
"""

import asyncio
import json
import os
import subprocess
import sys
import types

from prefect._internal import retries
from prefect.deployments.steps.pull import agit_clone


async def no_pause(_):
    await asyncio.sleep(0)


def clone(inputs):
    try:
        return asyncio.run(agit_clone(**inputs))
    except Exception as fault:
        return {"error": type(fault).__name__}


def main():
    retries.asyncio = types.SimpleNamespace(sleep=no_pause)
    with open(sys.argv[1]) as file:
        cases = json.load(file)
    answers = {}
    for case in cases:
        os.chdir(case["dir"])
        answers[case["name"]] = []
        for op in case["ops"]:
            if op.get("run"):
                subprocess.run(op["run"], check=True)
            else:
                answers[case["name"]].append(clone(op["clone"]))
    with open(sys.argv[2], "w") as file:
        json.dump(answers, file)


main()
