"""Many runs of the real `prefect deploy` without starting Python as often: Prefect is imported once, and each run is a fork of this process with an environment of its own.

Run with the Python of an environment that holds Prefect 3.8.8. Each line of stdin is one run, {"dir", "env", "args", "output"}; its streams go to the file `output`, and the line that answers is its exit code.
"""

import json
import os
import sys


def warm():
    """Imports what a deploy imports, and starts nothing: a thread would not survive the fork."""
    import prefect.cli.deploy  # noqa: F401
    import prefect.cli.deploy._commands  # noqa: F401
    import prefect.cli.deploy._config  # noqa: F401
    import prefect.cli.deploy._core  # noqa: F401
    import prefect.main  # noqa: F401
    from prefect.client.orchestration import get_client  # noqa: F401


def run(line):
    """In the child: become a `prefect deploy` that was just started."""
    os.environ.clear()
    os.environ.update(line["env"])
    os.chdir(line["dir"])
    for stream, flags, path in ((0, os.O_RDONLY, os.devnull), (1, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, line["output"])):
        os.dup2(os.open(path, flags, 0o600), stream)
    os.dup2(1, 2)
    from prefect.context import refresh_global_settings_context

    refresh_global_settings_context()
    sys.argv = ["prefect", *line["args"]]
    from prefect.cli import app

    app()


def child(line):
    code = 1
    try:
        run(line)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main():
    sys.path[0] = os.path.dirname(sys.executable)  # as for the command itself
    warm()
    for text in sys.stdin:
        pid = os.fork()
        if pid == 0:
            child(json.loads(text))
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


main()
