"""From a forked zygote to a slot: namespaces, root, identity, then `Slot.serve`.

Three ways on a host, tried by the client in this order:

* `root`: real root builds the mounts, then enters a user namespace that maps two ids which exist nowhere else: 0 for
  the slot, 1000 for jobs. Jobs are strangers to the slot and to the host.
* `user`: everything inside a user namespace that maps one id, the caller's, to 1000. Jobs share the slot's id; the
  capabilities that make the difference are dropped by each job.
* `plain`: no namespaces (default containers). Landlock and seccomp carry the isolation; as root each slot has a user
  id of its own for its jobs.

And one, `container`, inside a container that was started for this slot alone and brings namespaces and control groups.

A slot has a parent that outlives it and, when it is killed, ends what it leaves behind. With namespaces the parent is
pid 1 and mounts for the slot, so that the slot can do without what the filter of its jobs refuses. (In a container the
zygote is pid 1. Where jobs could signal a slot that is not pid 1, the slot is it, and does all by itself.)

A failure is told to the client, with the step in it, and the process ends.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from pathlib import Path
from typing import Any, NoReturn

from . import landlock, linux
from .boxes import Box, DirectoryBox, MountedBox
from .confine import Confinement, confine_slot
from .counters import Counters, no_events
from .processes import Processes, kill_descendants, kill_namespace
from .slot import Slot, reserve_descriptors

JOB_UID = 1000
"""User id of jobs inside a user namespace."""


def become_slot(spec: dict[str, Any], control: socket.socket) -> NoReturn:
    """Turn this process, or a child of it, into a slot that serves `control`."""
    try:
        if not control.recv(16):  # the client has put this process into its cgroups
            os._exit(0)
        os.umask(0o022)
        with contextlib.suppress(PermissionError):
            os.setgroups([])
        strategy = _STRATEGIES[spec["strategy"]]
        strategy(spec, control)
    except Exception as error:  # noqa: BLE001 - whatever fails is told to the client, who tries another strategy
        control.send(json.dumps({"failed": f"{type(error).__name__}: {error}"[:500]}).encode())
    finally:
        os._exit(1)


def _as_root(spec: dict[str, Any], control: socket.socket) -> NoReturn:
    from . import mounts

    linux.unshare(linux.CLONE_NEWPID)
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid:
        theirs.close()
        if ours.recv(1):
            base = spec["uid_base"]
            for name in ("uid_map", "gid_map"):
                Path(f"/proc/{pid}/{name}").write_text(f"0 {base} 1\n{JOB_UID} {base + 1} 1\n")
            ours.send(b"m")
        os._exit(0)
    ours.close()
    linux.unshare(linux.CLONE_NEWNS)
    nested = mounts.build_root(spec["trees"])
    spaces = linux.CLONE_NEWUSER | linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS
    linux.unshare(spaces)
    theirs.send(b"u")
    if theirs.recv(1) != b"m":
        raise OSError("uid_map: not written")
    theirs.close()
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    _serve_namespaced(spec, control, JOB_UID, nested)


def _as_user(spec: dict[str, Any], control: socket.socket) -> NoReturn:
    from . import mounts

    uid, gid = os.getuid(), os.getgid()
    linux.unshare(
        linux.CLONE_NEWUSER | linux.CLONE_NEWNS | linux.CLONE_NEWPID
        | linux.CLONE_NEWNET | linux.CLONE_NEWIPC | linux.CLONE_NEWUTS
    )  # fmt: skip
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{JOB_UID} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{JOB_UID} {gid} 1")
    if os.fork():
        os._exit(0)
    nested = mounts.build_root(spec["trees"])
    _serve_namespaced(spec, control, None, nested)


def _serve_namespaced(
    spec: dict[str, Any], control: socket.socket, uid: int | None, nested: dict[str, str]
) -> NoReturn:
    socket.sethostname("sandbox")
    box = MountedBox(JOB_UID, spec["disk"], nested)
    confinement = Confinement(uid=uid, unix_sockets=True, memory_counted=spec["memory_counted"])
    processes = Processes(kill_namespace)
    if confinement.protects_slot:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        linux.prctl(linux.PR_SET_DUMPABLE, 0)
        slot = os.fork()
        if slot:
            theirs.close()
            box.mount_for(ours)
            processes.end(slot)  # before this process's end of `control` closes, for which the client waits
            os._exit(0)
        ours.close()
        box.use(theirs)
        linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    _serve(spec, control, confinement, box, processes, hand_down=confinement.protects_slot)


def _plain(spec: dict[str, Any], control: socket.socket) -> NoReturn:
    uid: int | None = spec["uid_base"] if os.getuid() == 0 and spec["drop_uid"] else None
    processes = Processes(kill_descendants)
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    slot = os.fork()
    if slot:  # this process only waits: what a slot leaves behind that was killed itself comes to its parent
        os.waitpid(slot, 0)
        processes.end(slot)
        os._exit(0)
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    confinement = Confinement(
        uid=uid, unix_sockets=False, memory_counted=spec["memory_counted"], readable=spec["trees"],
        metadata=uid is not None,
    )  # fmt: skip
    box = DirectoryBox(spec["boxes"], uid)
    _serve(spec, control, confinement, box, processes, hand_down=uid is not None)


def _in_container(spec: dict[str, Any], control: socket.socket) -> NoReturn:
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    hidden = {"proc", "sys", "dev", "run", *(path[1:] for path in (spec["boxes"], *_SHARED))}
    readable = [f"/{name}" for name in os.listdir("/") if name not in hidden]
    confinement = Confinement(uid=None, unix_sockets=True, memory_counted=True, readable=readable)
    shared = tuple(path for path in _SHARED if os.path.isdir(path))
    box = DirectoryBox(spec["boxes"], None, shared)
    _serve(spec, control, confinement, box, Processes(kill_namespace), hand_down=True)


def _send_process(control: socket.socket) -> None:
    """Give the client a handle to this process that means the same in its process namespace."""
    pidfd = os.pidfd_open(os.getpid())
    socket.send_fds(control, [b"process"], [pidfd])
    os.close(pidfd)


def _serve(
    spec: dict[str, Any],
    control: socket.socket,
    confinement: Confinement,
    box: Box,
    processes: Processes,
    *,
    hand_down: bool,
) -> NoReturn:
    """`hand_down`: whether the slot needs nothing that the filter refuses, and jobs may inherit it."""
    _send_process(control)
    oom_score = _open_oom_score() if spec["memory_counted"] or spec["strategy"] == "container" else -1
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    confine_slot()
    namespaces = spec["strategy"] != "plain"
    events = Counters().events if spec["strategy"] == "container" else no_events
    mechanisms = {
        "rlimits": _rlimits_state(spec, confinement, namespaces),
        "seccomp": "active" if confinement.filter is not None else f"no filter for {os.uname().machine}",
        "landlock": _landlock_state(confinement, namespaces),
        "namespaces": "active" if namespaces else "not available",
        "identity": "active" if confinement.uid is not None else "",
    }
    control.send(json.dumps({"ready": mechanisms}).encode())
    Slot(control, confinement, box, processes, events, oom_score, hand_down=hand_down).serve()


def _open_oom_score() -> int:
    """Return a descriptor to set how soon the kernel kills this process for want of memory, -1 where there is none."""
    linux.prctl(linux.PR_SET_DUMPABLE, 1)  # lost with the old user id; without it the file is not ours
    try:
        return os.open("/proc/self/oom_score_adj", os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return -1


def _rlimits_state(spec: dict[str, Any], confinement: Confinement, namespaces: bool) -> str:
    if not namespaces and confinement.uid is None and os.getuid() == 0 and not spec["memory_counted"]:
        return "the kernel does not limit root's processes, and jobs cannot run as another user here"
    return "active"


def _landlock_state(confinement: Confinement, namespaces: bool) -> str:
    if not confinement.landlock_abi:
        return "not in this kernel"
    if not namespaces and confinement.uid is None and confinement.landlock_abi < landlock.SIGNAL_SCOPE_ABI:
        return f"ABI {confinement.landlock_abi} lets jobs signal the caller; {landlock.SIGNAL_SCOPE_ABI} would not"
    return "active"


_SHARED = ("/tmp", "/dev/shm")
_STRATEGIES = {"root": _as_root, "user": _as_user, "plain": _plain, "container": _in_container}

__all__ = ["become_slot", "reserve_descriptors"]
