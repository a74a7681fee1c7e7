"""The seccomp filter of a job: which system calls the kernel refuses it.

Every call has been decided on. Numbers below 424 are frozen by the kernel: those that are of no use to a program in a
box, or that open up much of the kernel, are listed and refused (EPERM). From 424 on the list is the other way round:
only what is named passes, and whatever a newer kernel adds is refused (ENOSYS) until somebody has looked at it.
Calls of another architecture's numbering (32-bit, x32) kill the process.

For x86_64 only; elsewhere `build` returns None and the sandbox reports a lower tier.
"""

from __future__ import annotations

import errno
import os
import struct

_ARCH_X86_64 = 0xC000003E
_X32_BIT = 0x40000000
_KILL, _ERRNO, _ALLOW = 0x80000000, 0x00050000, 0x7FFF0000
_REFUSE = _ERRNO | errno.EPERM
_LOAD, _JEQ, _JGE, _JSET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NR, _ARCH, _ARG0, _ARG1 = 0, 4, 16, 24  # offsets in struct seccomp_data; arguments: the low 32 bits

_REFUSED = {
    # other processes
    "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312,
    # namespaces, mounts, roots, handles
    "mount": 165, "umount2": 166, "pivot_root": 155, "chroot": 161, "unshare": 272, "setns": 308,
    "name_to_handle_at": 303, "open_by_handle_at": 304, "fanotify_init": 300, "fanotify_mark": 301,
    "inotify_init": 253, "inotify_add_watch": 254, "inotify_init1": 294,  # would show what others do with shared files
    "swapon": 167, "swapoff": 168, "quotactl": 179, "acct": 163, "nfsservctl": 180, "lookup_dcookie": 212,
    # the machine
    "reboot": 169, "sethostname": 170, "setdomainname": 171, "iopl": 172, "ioperm": 173, "init_module": 175,
    "create_module": 174, "delete_module": 176, "get_kernel_syms": 177, "query_module": 178, "finit_module": 313,
    "kexec_load": 246, "kexec_file_load": 320, "settimeofday": 164, "clock_settime": 227, "adjtimex": 159,
    "clock_adjtime": 305, "syslog": 103, "vhangup": 153, "modify_ldt": 154, "personality": 135, "uselib": 134,
    "_sysctl": 156, "ustat": 136, "sysfs": 139,
    # large parts of the kernel
    "perf_event_open": 298, "bpf": 321, "userfaultfd": 323, "keyctl": 250, "add_key": 248, "request_key": 249,
    "io_setup": 206, "io_destroy": 207, "io_getevents": 208, "io_submit": 209, "io_cancel": 210, "io_pgetevents": 333,
    "mbind": 237, "set_mempolicy": 238, "get_mempolicy": 239, "migrate_pages": 256, "move_pages": 279,
    # objects that would outlive the job
    "shmget": 29, "shmat": 30, "shmctl": 31, "shmdt": 67, "semget": 64, "semop": 65, "semctl": 66, "semtimedop": 220,
    "msgget": 68, "msgsnd": 69, "msgrcv": 70, "msgctl": 71, "mq_open": 240, "mq_unlink": 241, "mq_timedsend": 242,
    "mq_timedreceive": 243, "mq_notify": 244, "mq_getsetattr": 245,
    # precedence over others
    "sched_setparam": 142, "sched_setscheduler": 144, "sched_setattr": 314, "setpriority": 141, "ioprio_set": 251,
}  # fmt: skip
_FIRST_NEW = 424
_NEW_ALLOWED = {
    "close_range": 436, "openat2": 437, "faccessat2": 439, "epoll_pwait2": 441, "futex_waitv": 449,
    "cachestat": 451, "fchmodat2": 452, "map_shadow_stack": 453, "futex_wake": 454, "futex_wait": 455,
    "futex_requeue": 456, "mseal": 462,
    "landlock_create_ruleset": 444, "landlock_add_rule": 445, "landlock_restrict_self": 446,  # only ever take away
}  # fmt: skip

_CLONE, _SOCKET, _SOCKETPAIR, _IOCTL, _PRLIMIT, _SETAFFINITY, _MEMFD = 56, 41, 53, 16, 302, 203, 319
_FCNTL = 72
_NEW_NAMESPACES = 0x7E020080
"""CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET,TIME}"""
_AF_UNIX = 1
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_SETFLAGS, _SETFLAGS_32, _SETXATTR = 0x40086602, 0x40046602, 0x401C5820
"""What makes a file immutable, and the like."""
_F_SETLEASE, _F_NOTIFY = 1024, 1026
"""The first keeps others from opening a file, the second tells what they do in a directory."""
_MODES_AND_TIMES = {
    "chmod": 90, "fchmod": 91, "fchmodat": 268, "fchmodat2": 452, "utime": 132, "utimes": 235, "futimesat": 261,
    "utimensat": 280,
}  # fmt: skip
_OWNERS_AND_ATTRIBUTES = {
    "chown": 92, "fchown": 93, "lchown": 94, "fchownat": 260, "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190,
    "removexattr": 197, "lremovexattr": 198, "fremovexattr": 199,
}  # fmt: skip


def build(*, unix_sockets: bool, memfd: bool, metadata: bool = True) -> bytes | None:
    """Return the filter as packed `struct sock_filter`s, or None on an architecture that has no table.

    The kernel works out the verdict for every number when a filter is installed, which some slots leave to each job: so
    numbers are found by bisection instead of one comparison after another. A slot that hands the filter down must get
    by with what passes, such as making the next job's Landlock ruleset.

    Args:
        unix_sockets: Whether `socket(AF_UNIX)` passes; it must not where the host's sockets can be reached by path.
        memfd: Whether `memfd_create` passes; its memory is counted only where a memory cgroup counts it.
        metadata: Whether files' modes, times, owners and attributes can be changed; they must not where files of the
            host belong to the job's own user id. A change of mode or time then does nothing and says that it did:
            programs that copy files ask for it, and few of them need it.
    """
    if os.uname().machine != "x86_64":
        return None
    allow, refuse, unknown = [_op(_RETURN, _ALLOW)], [_op(_RETURN, _REFUSE)], [_op(_RETURN, _ERRNO | errno.ENOSYS)]
    unix_only = [_op(_LOAD, _ARG0), *_if(_JEQ, _AF_UNIX, allow), *refuse]
    self_only = [_op(_LOAD, _ARG0), *_if(_JEQ, 0, allow), *refuse]
    ioctl, fcntl = (
        [_op(_LOAD, _ARG1), *(i for command in harmful for i in _if(_JEQ, command, refuse)), *allow]
        for harmful in ((_TIOCSTI, _TIOCLINUX, _SETFLAGS, _SETFLAGS_32, _SETXATTR), (_F_SETLEASE, _F_NOTIFY))
    )
    pretend = [_op(_RETURN, _ERRNO)]
    verdicts = dict.fromkeys(range(_FIRST_NEW), allow)
    verdicts |= dict.fromkeys(_REFUSED.values(), refuse)
    verdicts |= {
        _CLONE: [_op(_LOAD, _ARG0), *_if(_JSET, _NEW_NAMESPACES, refuse), *allow],
        _SOCKET: unix_only if unix_sockets else refuse,
        _SOCKETPAIR: unix_only,
        _PRLIMIT: self_only,
        _SETAFFINITY: self_only,
        _IOCTL: ioctl,
        _FCNTL: fcntl,
        _MEMFD: allow if memfd else refuse,
    }
    verdicts |= dict.fromkeys(_NEW_ALLOWED.values(), allow)
    if not metadata:
        verdicts |= dict.fromkeys(_MODES_AND_TIMES.values(), pretend)
        verdicts |= dict.fromkeys(_OWNERS_AND_ATTRIBUTES.values(), refuse)
    spans: list[tuple[int, list[bytes]]] = []
    for number in range(max(verdicts) + 2):
        verdict = verdicts.get(number, unknown)
        if not spans or spans[-1][1] is not verdict:
            spans.append((number, verdict))
    code = [_op(_LOAD, _ARCH), _op(_JEQ, _ARCH_X86_64, 1, 0), _op(_RETURN, _KILL), _op(_LOAD, _NR)]
    code += _if(_JGE, _X32_BIT, [_op(_RETURN, _KILL)])
    return b"".join(code + _bisect(spans))


def _bisect(spans: list[tuple[int, list[bytes]]]) -> list[bytes]:
    """Return code that runs the verdict of the loaded number. `spans`: (first number of a span, its verdict)."""
    if len(spans) == 1:
        return spans[0][1]
    middle = len(spans) // 2
    below = _bisect(spans[:middle])
    return [_op(_JGE, spans[middle][0], len(below), 0), *below, *_bisect(spans[middle:])]


def _op(code: int, k: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, k)


def _if(jump: int, k: int, body: list[bytes]) -> list[bytes]:
    """Return: when the loaded word matches, run `body`, otherwise skip it. A body longer than 255 does not fit."""
    return [_op(jump, k, 0, len(body)), *body]
