"""Jobs that run at the same time cannot find, reach or hurt each other."""

import os

import pytest

from assay.sandboxes import Job, Limits

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs Linux")
LIMITS = Limits(cpu_seconds=20, wall_seconds=60)
VICTIM = """
import os, socket, time
open('/tmp/mark' if os.access('/tmp', os.W_OK) else 'mark', 'w').write('secret')
try:
    server = socket.socket(socket.AF_UNIX); server.bind(chr(0) + 'neighbour'); server.listen()
    server.settimeout(0)
except OSError:
    server = None
time.sleep(3)
if server is not None:
    try:
        server.accept()
        print('visited')
    except BlockingIOError: pass
print('alive')
"""
ATTACKER = """
import os, socket, time
deadline = time.monotonic() + 2
found = set()
while time.monotonic() < deadline:
    try: socket.socket(socket.AF_UNIX).connect(chr(0) + 'neighbour'); found.add('socket')
    except OSError: pass
    for folder in ('/tmp', '/dev/shm', '.', '..'):
        try: found |= {folder + '/' + n for n in os.listdir(folder) if n == 'mark'}
        except OSError: pass
    for pid in range(2, 4000):
        if pid == os.getpid(): continue
        try: os.kill(pid, 9); found.add(pid)
        except OSError: pass
print(sorted(map(str, found)))
"""


def test_neighbours_are_strangers(sandbox):
    for _ in sandbox.run_many([Job(source="import time; time.sleep(0.2)")] * 2):
        pass  # both slots are there
    done = dict(sandbox.run_many([Job(source=source, limits=LIMITS) for source in (VICTIM, ATTACKER)]))
    assert done[0].text == "alive\n", done[0]
    assert done[1].text == "[]\n", done[1]
