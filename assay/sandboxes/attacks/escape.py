"""Ways out: foreign files, other processes, namespaces, the kernel's wide interfaces."""

from __future__ import annotations

from assay.sandboxes.attacks.base import Attack, refused, survives

_SYSCALL = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\ndef call(*a):\n    r = libc.syscall(*a)\n"
_SYSCALL += "    if r < 0: raise OSError(ctypes.get_errno(), 'refused')\n    return r\n"


def _call(name: str, arguments: str) -> Attack:
    return refused(name, _SYSCALL + f"call({arguments})")


def _files_of(whose: str, pid: str) -> Attack:
    return survives(
        f"what /proc shows of {whose}",
        f"""
        import os
        for name in ("mem", "environ", "maps", "status", "cmdline", "fd", "task", "ns", "root", "cwd", "exe"):
            path = f"/proc/{{{pid}}}/{{name}}"
            for look in (os.listdir, os.readlink, lambda path: open(path, "rb").read(1)):
                try: print("BREACH", path, look(path))
                except OSError: pass
        """,
    )


def _signal_by_socket(whose: str, pid: str) -> Attack:
    """The kernel itself sends the signal that a descriptor's owner is to have, when something can be read."""
    return survives(
        f"have the kernel kill {whose}",
        f"""
        import fcntl, os, signal, socket
        for number in (signal.SIGKILL, signal.SIGSTOP):
            ours, theirs = socket.socketpair()
            try:
                fcntl.fcntl(ours, fcntl.F_SETOWN, {pid})
                fcntl.fcntl(ours, 10, number)  # F_SETSIG
                fcntl.fcntl(ours, fcntl.F_SETFL, os.O_ASYNC)
                theirs.send(b"x")
            except OSError: pass
        """,
    )


ESCAPES: tuple[Attack, ...] = (
    refused("read /etc/shadow", "open('/etc/shadow').read()"),
    refused("read the docker socket", "import os; os.stat('/var/run/docker.sock'); os.stat('/run/docker.sock')"),
    survives(
        "read homes and keys",
        """
        import glob, os
        found = [p for pattern in ("/root/.ssh/*", "/home/*/*", "/root/.bash*", "/root/.netrc", "/etc/ssh/*", "/var/*", "/srv/*")
                 for p in glob.glob(pattern)]
        readable = [p for p in found if os.access(p, os.R_OK)]
        if readable: print("BREACH", readable)
        """,
    ),
    refused("write to /usr", "open('/usr/lib/x', 'w')"),
    refused("write to the standard library", "import os; open(os.path.dirname(os.__file__) + '/evil.py', 'w')"),
    refused("write to site-packages", "import sysconfig; open(sysconfig.get_paths()['purelib'] + '/evil.pth', 'w')"),
    refused("overwrite the interpreter", "import sys; open(sys.executable, 'r+b')"),
    refused("poison a bytecode cache", "import os; os.makedirs(os.path.dirname(os.__file__) + '/__pycache__/x')"),
    refused("make a directory in the root", "import os; os.mkdir('/owned')"),
    refused("write to /etc", "open('/etc/passwd', 'a')"),
    refused("write to /dev", "open('/dev/owned', 'w')"),
    refused("chroot", "import os; os.mkdir('d'); os.chroot('d')"),
    _call("mount", "165, b'none', b'/box', b'tmpfs', 0, 0"),
    _call("umount", "166, b'/box', 2"),
    _call("pivot_root", "155, b'/box', b'/box'"),
    _call("move_mount", "429, -100, b'/box', -100, b'/usr', 0"),
    _call("open_tree", "428, -100, b'/', 1"),
    _call("fsopen", "430, b'tmpfs', 0"),
    _call("new user namespace", "272, 0x10000000"),
    _call("new mount namespace", "272, 0x00020000"),
    _call("clone into a user namespace", "56, 0x10000000 | 17, 0, 0, 0, 0"),
    _call("clone3", "435, ctypes.byref(ctypes.create_string_buffer(88)), 88"),
    _call("setns", "308, 0, 0"),
    _call("ptrace itself", "101, 0, 0, 0, 0"),
    _call("ptrace the first process", "101, 16, 1, 0, 0"),
    _call("process_vm_writev", "311, 1, 0, 0, 0, 0, 0"),
    _call("process_vm_readv", "310, 1, 0, 0, 0, 0, 0"),
    _call("pidfd_open", "434, 1, 0"),
    _call("pidfd_getfd", "438, 0, 0, 0"),
    _call("kcmp", "312, 1, 1, 0, 0, 0"),
    _call("bpf", "321, 0, 0, 0"),
    _call("perf_event_open", "298, 0, 0, -1, -1, 0"),
    _call("userfaultfd", "323, 0"),
    _call("io_uring_setup", "425, 8, ctypes.byref(ctypes.create_string_buffer(256))"),
    _call("keyctl", "250, 0, -3, 1"),
    _call("add_key", "248, b'user', b'k', b'v', 1, -3"),
    _call("open_by_handle_at", "304, 0, 0, 0"),
    _call("kexec_load", "246, 0, 0, 0, 0"),
    _call("init_module", "175, 0, 0, b''"),
    _call("reboot", "169, 0xfee1dead, 672274793, 0, 0"),
    _call("sethostname", "170, b'owned', 5"),
    _call("settimeofday", "164, ctypes.byref(ctypes.create_string_buffer(16)), 0"),
    _call("iopl", "172, 3"),
    _call("personality", "135, 0x0040000"),
    _call("kernel log", "103, 3, ctypes.create_string_buffer(100), 100"),
    _call("an unknown system call", "471, 0, 0, 0"),
    _call("memory of the kernel's own choosing: memfd_secret", "447, 0"),
    survives("x32 system call", _SYSCALL + "print(call(0x40000000 + 39)); print('BREACH')"),
    survives(
        "32-bit system call by machine code",
        """
        import ctypes, mmap
        page = mmap.mmap(-1, 4096, prot=7)
        page.write(b"\\xb8\\x14\\x00\\x00\\x00\\xcd\\x80\\xc3")   # mov eax, 20 (getpid); int 0x80; ret
        run = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
        run()
        print("BREACH")
        """,
    ),
    refused("become somebody else", "import os; os.setuid(0 if os.getuid() else 1)"),
    survives(
        "set-uid programs",
        """
        import os, stat, subprocess
        for program in ("/bin/su", "/usr/bin/sudo", "/usr/bin/passwd", "/bin/mount"):
            if os.path.exists(program):
                done = subprocess.run([program, "-c", "id"], stdin=subprocess.DEVNULL, capture_output=True, text=True)
                if "uid=0" in done.stdout and os.getuid(): print("BREACH", done.stdout)
        """,
    ),
    refused(
        "make a device",
        "import os, stat; os.mknod('disk', 0o600 | stat.S_IFBLK, os.makedev(254, 0)); open('disk', 'rb')",
    ),
    refused("raw memory device", "open('/dev/mem', 'rb')"),
    refused("console", "open('/dev/tty', 'w')"),
    refused("push characters into a terminal", "import fcntl; fcntl.ioctl(0, 0x5412, b'x')"),
    refused("raise a hard limit", "import resource; resource.setrlimit(resource.RLIMIT_NPROC, (4096, 4096))"),
    refused("real-time priority", "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))"),
    refused("negative niceness", "import os; os.setpriority(os.PRIO_PROCESS, 0, -20)"),
    _files_of("the first process", "1"),
    _files_of("the slot", "os.getppid()"),
    _signal_by_socket("the first process", "1"),
    _signal_by_socket("the slot", "os.getppid()"),
    refused("kill the first process", "import os; os.kill(1, 9)"),
    refused("set the limits of the first process", "import resource; resource.prlimit(1, resource.RLIMIT_CPU, (1, 1))"),
    refused("core pattern", "open('/proc/sys/kernel/core_pattern', 'w')"),
    refused("sysrq", "open('/proc/sysrq-trigger', 'w')"),
    refused("cgroup files", "import os; os.listdir('/sys/fs/cgroup')"),
    survives(
        "symbolic link out of the box",
        "import os\nos.symlink('/etc/shadow', 'link')\ntry: print('BREACH', open('link').read())\nexcept OSError: pass",
    ),
    survives(
        "descriptors left open",
        """
        import os
        allowed = {0, 1, 2}
        found = set()
        for fd in range(3, 256):
            try: found.add((fd, os.fstat(fd).st_mode))
            except OSError: pass
        if found: print("BREACH", found)
        """,
    ),
    survives(
        "write its own code through /proc/self/mem",
        "import ctypes\nb = ctypes.create_string_buffer(b'abc')\nf = open('/proc/self/mem', 'r+b', 0)\n"
        "f.seek(ctypes.addressof(b)); f.write(b'x')",
    ),
)
