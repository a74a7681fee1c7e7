"""What makes a job cheap: the memory that it inherits. In fresh interpreters, since it rearranges the one it is in."""

import itertools
import os
import struct
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.sandboxes import Job, LocalSandbox, Tier
from assay.sandboxes.local.agent import linux, memory

pytestmark = pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="needs Linux")
REARRANGED = """
import ctypes, json, re, sys
from assay.sandboxes.local.agent import memory

def of(pointer):
    address = ctypes.cast(pointer, ctypes.c_void_p).value
    return next(area for area in memory.areas() if area.start <= address < area.end)

def works():
    assert json.loads(json.dumps([1, {"a": 2.5}])) == [1, {"a": 2.5}] and re.sub("b+", "x", "abbc") == "axc"
    kept = [[str(number)] * 40 for number in range(20_000)]  # small blocks and large ones
    return sum(int(row[-1]) for row in kept) == 199_990_000

types = ctypes.pythonapi.PyBaseObject_Type
before = len(memory.areas())
memory.join_areas()
joined = len(memory.areas())
try:
    memory.enlarge_code()
    kept = [str(number) for number in range(1000)]
    memory.enlarge_data()
except OSError as error:
    print("skip:", error)
    raise SystemExit
area = of(ctypes.pythonapi.Py_IsInitialized)
print(joined < before, area.path == "" or area.end - area.start < 2 << 21, "w" in area.protection)
print(of(types).path == "", kept == [str(number) for number in range(1000)], works(), works())
"""


def test_an_interpreter_works_in_rearranged_memory():
    done = subprocess.run([sys.executable, "-c", REARRANGED], capture_output=True, text=True, check=False)
    if done.stdout.startswith("skip"):
        pytest.skip(done.stdout)
    assert done.stdout == "True True False\nTrue True True True\n", done.stderr


def test_a_job_seldom_stops_for_a_page():
    try:
        page = next(area.start for area in memory.areas() if area.protection == "rw-")
        os.close(linux.hold_pages([(page, memory.PAGE)]))
    except OSError as error:
        pytest.skip(f"pages cannot be pinned here: {error}")
    job = Job(source="import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)")
    with LocalSandbox(1, min_tier=Tier.FILTERED) as sandbox:
        if sandbox.capabilities().tier < Tier.NAMESPACES:
            pytest.skip("a job cannot see its own pages here")
        faults = [int(sandbox.run(job).text) for _ in range(20)]
    assert faults[-1] < faults[0] / 2, faults


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=40))
def test_runs_cover_exactly_the_pages_that_were_written(pages):
    asked = memory.Pages()
    asked._areas = [memory.Area(0x1000, 0x1000 + len(pages) * memory.PAGE, "rw-", 0, "")]
    entries = b"".join(struct.pack("=Q", present << 63 | own << 56) for present, own in pages)
    runs = asked.written(entries)
    covered = {page for start, end in runs for page in range(start, end, memory.PAGE)}
    assert covered == {0x1000 + i * memory.PAGE for i, (present, own) in enumerate(pages) if present and own}
    assert all(first[1] < second[0] for first, second in itertools.pairwise(runs))


def test_memory_of_no_process_cannot_be_pinned():
    with pytest.raises(OSError, match="io_uring"):
        linux.hold_pages([(0, memory.PAGE)])
