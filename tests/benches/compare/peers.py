"""Starts and removes a daemon with one of the Python packages for each line on standard input.

Answers each line with the seconds that the start and the removal took.
"""

import subprocess
import sys
import tempfile
import textwrap
import time


def instance(make):
    """For packages with an object per daemon: makes it and stops it."""

    def cycle():
        begin = time.perf_counter()
        server = make()
        start = time.perf_counter() - begin
        begin = time.perf_counter()
        server.stop()
        return start, time.perf_counter() - begin

    return cycle


def whole(*command):
    """For packages that are commands: measures the whole run."""

    def cycle():
        begin = time.perf_counter()
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        took = time.perf_counter() - begin
        if done.returncode:
            lines = (done.stdout + done.stderr).strip().splitlines() or [f"exit code {done.returncode}"]
            raise RuntimeError(lines[-1])
        return took, 0

    return cycle


def testing_redis():
    import testing.redis

    return instance(testing.redis.RedisServer)


def testing_postgresql():
    import testing.postgresql

    return instance(testing.postgresql.Postgresql)


def testing_postgresql_cached():
    import testing.postgresql

    return instance(testing.postgresql.PostgresqlFactory(cache_initialized_db=True))


def testing_mysqld():
    import testing.mysqld

    return instance(testing.mysqld.Mysqld)


def pytest_postgresql():
    """Runs pytest on a test that uses the package's fixture."""
    path = tempfile.mkdtemp()
    with open(f"{path}/test_one.py", "w") as file:
        file.write(textwrap.dedent("""
            def test_one(postgresql):
                assert postgresql.execute("SELECT 1").fetchone() == (1,)
        """))
    executable = subprocess.run(["sh", "-c", "command -v pg_ctl"], capture_output=True, text=True).stdout.strip()
    return whole("pytest", "-q", "-p", "no:cacheprovider", f"--postgresql-exec={executable}", path)


PEERS = {
    "testing.redis": testing_redis,
    "testing.postgresql": testing_postgresql,
    "testing.postgresql, cached": testing_postgresql_cached,
    "testing.mysqld": testing_mysqld,
    "pytest-postgresql": pytest_postgresql,
}


def main():
    name = sys.argv[1]
    if name.startswith("pifpaf"):
        make = lambda: whole(*name.split(), "--", "true")
    else:
        make = PEERS[name]
    cycle = None
    for _ in sys.stdin:
        try:
            cycle = cycle or make()
            print(*cycle(), flush=True)
        except Exception as error:
            print(" ".join(str(error).split()) or type(error).__name__, flush=True)


main()
