"""Functions that run inside the pool's workers."""

import os
import signal
import sys
import time


def add(a, b):
    return a + b


def pid():
    return os.getpid()


def spin():
    while True:
        pass


def sleep(seconds):
    time.sleep(seconds)
    return seconds


def die():
    os.kill(os.getpid(), signal.SIGSEGV)


def leave():
    sys.exit(3)


def fail(text):
    raise ValueError(text)


def allocate(megabytes):
    return len(bytearray(megabytes * 2**20))


def tower(base, exponent):
    return len(str((base**exponent) ** exponent))


def chatter():
    print("this must not reach the protocol", flush=True)  # noqa: T201
    os.write(1, b"nor this")
    return "quiet"


def unserialisable():
    return object()


def orphan_group():
    """Leave a child behind that ignores the pipe: it must die with the worker."""
    child = os.fork()
    if child == 0:
        time.sleep(60)
        os._exit(0)
    with open(os.environ["ORPHAN_FILE"], "w") as file:
        file.write(str(child))
    time.sleep(60)
