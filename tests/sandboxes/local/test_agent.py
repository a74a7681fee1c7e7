"""The parts of the agent that can be examined without a job: the filter and the messages."""

import errno
import os
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.sandboxes.base import Limits
from assay.sandboxes.local.agent import boxes, mounts, processes, seccomp, slot, wire
from tests.sandboxes.processes import children

X86_64, I386 = 0xC000003E, 0x40000003
KILL, ALLOW = 0x80000000, 0x7FFF0000
EPERM, ENOSYS = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
needs_x86 = pytest.mark.skipif(os.uname().machine != "x86_64", reason="the filter is for x86_64")


def verdict(code: bytes, number: int, *args: int, arch: int = X86_64) -> int:
    """Interpret the filter as the kernel does."""
    data = struct.pack("=IIQ6Q", number, arch, 0, *args, *[0] * (6 - len(args)))
    program = list(struct.iter_unpack("=HBBI", code))
    at, word = 0, 0
    while True:
        operation, if_true, if_false, k = program[at]
        at += 1
        if operation == 0x06:
            return k
        if operation == 0x20:
            (word,) = struct.unpack_from("=I", data, k)
        else:
            holds = {0x15: word == k, 0x35: word >= k, 0x45: bool(word & k)}[operation]
            at += if_true if holds else if_false


@needs_x86
@pytest.mark.parametrize("unix_sockets", [False, True])
@pytest.mark.parametrize("memfd", [False, True])
def test_filter_decides_every_number_as_the_tables_say(unix_sockets, memfd):
    code = seccomp.build(unix_sockets=unix_sockets, memfd=memfd)
    by_argument = {56, 41, 53, 16, 302, 203, 319}
    refused, new = set(seccomp._REFUSED.values()), set(seccomp._NEW_ALLOWED.values())
    for number in set(range(1200)) - by_argument:
        wanted = EPERM if number in refused else ALLOW if number < 424 or number in new else ENOSYS
        assert verdict(code, number) == wanted, number
        assert verdict(code, number, arch=I386) == KILL
        assert verdict(code, number | 0x40000000) == KILL
    assert verdict(code, 319) == (ALLOW if memfd else EPERM)
    assert verdict(code, 41, 1) == (ALLOW if unix_sockets else EPERM)
    for family in (2, 10, 16, 17, 40):
        assert verdict(code, 41, family) == verdict(code, 53, family) == EPERM
    assert verdict(code, 53, 1) == ALLOW
    assert verdict(code, 56, 17) == ALLOW
    for flag in (0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert verdict(code, 56, 17 | flag) == EPERM
    assert [verdict(code, 16, 0, command) for command in (0x5412, 0x541C, 0x5401)] == [EPERM, EPERM, ALLOW]
    assert [verdict(code, 16, 0, command) for command in (0x40086602, 0x40046602, 0x401C5820)] == [EPERM] * 3
    assert [verdict(code, 72, 0, command) for command in (1024, 1026, 1025, 1)] == [EPERM, EPERM, ALLOW, ALLOW]
    assert [verdict(code, number, pid) for number in (302, 203) for pid in (0, 1)] == [ALLOW, EPERM] * 2


@needs_x86
def test_files_of_the_own_user_keep_their_modes_times_and_owners():
    code = seccomp.build(unix_sockets=False, memfd=False, metadata=False)
    assert {verdict(code, number) for number in (90, 91, 268, 452, 132, 235, 261, 280)} == {0x00050000}
    assert {verdict(code, number) for number in (92, 93, 94, 260, *range(188, 191), *range(197, 200))} == {EPERM}
    assert {verdict(code, number) for number in (0, 1, 2, 82, 87, 95, 191, 257)} == {ALLOW}


names = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=8)


@given(st.lists(names, max_size=4), st.integers(0, 2**62), st.floats(0, 1e9))
def test_requests_arrive_as_sent(fetch, size, seconds):
    request = wire.Request(seconds, seconds, seconds, size, size, 1, 2, 3, 4, 5)
    assert wire.unpack_request(request.pack(tuple(fetch))) == (request, fetch)


@given(st.lists(st.none() | st.integers(0, 2**40), max_size=5), st.text(max_size=20), st.booleans())
def test_replies_arrive_as_sent(sizes, setup, killed):
    reply = wire.Reply(-9, killed, 0.5, 1.5, 7, killed, True, tuple(sizes), setup.encode("utf-8", "replace").decode())
    assert wire.unpack_reply(reply.pack()) == reply


@given(st.binary(max_size=80))
def test_any_packet_is_a_reply_or_refused(packet):
    try:
        reply = wire.unpack_reply(packet)
    except ValueError:
        return
    assert len(reply.fetched) * 8 <= len(packet)


@pytest.mark.parametrize(
    ("used", "waited", "threads", "latest", "allowed"),
    [
        (0.5, 0.0, 1, 30.0, 3.0),
        (0.5, 7.0, 8, 30.0, 10.0),
        (0.5, 99.0, 1, 30.0, 30.0),
        (1.5, 7.0, 2, 30.0, 3.0),  # its own processes keep it waiting
        (0.5, 7.0, 64, 30.0, 3.0),  # so they do here
        (0.5, 7.0, 1, 3.0, 3.0),  # a limit that was named holds to the moment
    ],
)
def test_time_that_a_job_waits_for_a_processor_does_not_count(monkeypatch, used, waited, threads, latest, allowed):
    monkeypatch.setattr(slot, "usage", lambda pid: (used, waited, threads))
    request = wire.Request(1.0, 3.0, latest, 0, 1, 1, 1, 1, 1, 1)
    assert slot.allowance(1, request) == allowed
    assert Limits(cpu_seconds=1).latest == 10 * Limits(cpu_seconds=1).wall
    assert Limits(cpu_seconds=1, wall_seconds=4).latest == 4


def test_a_slot_that_is_killed_while_its_parent_mounts_is_gone_like_any_other(monkeypatch):
    monkeypatch.setattr(mounts, "mount_box", lambda *how: None)
    monkeypatch.setattr(mounts, "remount_box", lambda *how: slot.close())
    box = boxes.MountedBox(1000, 1, {})
    ours, slot = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    slot.send(struct.pack("=Q", 2))
    with ours:
        box.mount_for(ours)
    other, slot = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    other.shutdown(socket.SHUT_WR)
    box.use(slot)
    with other, slot, pytest.raises(OSError, match="gone"):
        box.prepare(2)
    assert box.generation == 0


def test_usage_is_that_of_the_whole_tree():
    if not Path("/proc/self/schedstat").exists():
        pytest.skip("this kernel does not tell")
    command = "import os, time\nif os.fork(): os.wait()\nwhile time.process_time() < 0.3: pass\ntime.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", command]) as tree:
        while processes.usage(tree.pid)[0] < 0.3:  # the child's alone: its parent only waits
            time.sleep(0.02)
        (child,) = children(tree.pid)
        os.kill(child, 9)
        tree.kill()
