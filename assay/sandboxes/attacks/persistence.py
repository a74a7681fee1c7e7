"""What would outlast the job or reach a job beside it: descriptors, signals, shared objects, races, forged channels."""

from __future__ import annotations

from assay.sandboxes.attacks.base import Attack, limited, refused, survives

_LIBC = "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"

PERSISTENCE: tuple[Attack, ...] = (
    # other processes
    refused("stop the first process", "import os, signal; os.kill(1, signal.SIGSTOP)"),
    survives("stop the parent", "import os, signal\ntry: os.kill(os.getppid(), signal.SIGSTOP)\nexcept OSError: pass"),
    survives(
        "interrupt the parent",
        "import os, signal\nfor s in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGUSR1, signal.SIGHUP):\n"
        "    try: os.kill(os.getppid(), s)\n    except OSError: pass",
    ),
    survives(
        "signals to every process id",
        """
        import os
        for pid in range(1, 3000):
            if pid == os.getpid(): continue
            try: os.kill(pid, 0)
            except OSError: continue
            try: os.kill(pid, 9)
            except OSError: continue
            print("BREACH killed", pid)
        """,
    ),
    survives(
        "queued signals with data",
        _LIBC + "import struct\nfor pid in (1, os.getppid()):\n    for s in range(34, 65): libc.sigqueue(pid, s, ctypes.c_void_p(7))",
    ),
    refused("limits of the parent", "import os, resource; resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (0, 0))"),
    refused("scheduling of the parent", "import os; os.sched_setaffinity(os.getppid() or 1, {0})"),
    refused("join the slot's process group", "import os; os.setpgid(0, os.getpgid(os.getppid()) or 1)"),
    survives(
        "ask for a signal when the parent dies",
        _LIBC + "libc.prctl(1, 9, 0, 0, 0)",
    ),
    survives(
        "become a subreaper and hoard orphans",
        _LIBC + """
libc.prctl(36, 1, 0, 0, 0)
for _ in range(8):
    if os.fork() == 0:
        if os.fork() == 0:
            os.setsid()
            import time
            time.sleep(600)
        os._exit(0)
""",
    ),
    survives(
        "a thread that outlives the first thread of its process",
        _LIBC + """
import threading, time
if os.fork() == 0:
    threading.Thread(target=time.sleep, args=(600,)).start()
    libc.syscall(60, 0)
time.sleep(0.1)
""",
    ),
    survives("zombies", "import os\nfor _ in range(12):\n    try:\n        if os.fork() == 0: os._exit(0)\n    except OSError: pass"),
    limited(
        "a fork bomb in new sessions",
        "import os\nwhile True:\n    try:\n        if os.fork() == 0: os.setsid()\n    except OSError: pass",
        "cpu_limit", "wall_limit", "pids_limit", "nonzero", "signal",
    ),
    survives(
        "stopped children",
        "import os, signal\nfor _ in range(6):\n    if os.fork() == 0:\n        os.setsid()\n        os.kill(os.getpid(), signal.SIGSTOP)\n        os._exit(0)",
    ),
    survives(
        "children that stop each other without end",
        """
        import os, signal, time
        child = os.fork()
        if child == 0:
            while True:
                try: os.kill(os.getppid(), signal.SIGCONT)
                except OSError: pass
        os.kill(os.getpid(), signal.SIGSTOP)
        """,
    ),
    # descriptors and channels
    survives("close every descriptor that the harness needs", "import os\nfor fd in range(64):\n    try: os.close(fd)\n    except OSError: pass"),
    survives(
        "write to every descriptor",
        "import os\nfor fd in range(3, 1024):\n    try: os.write(fd, b'{\"value\":1}'); print('BREACH', fd)\n    except OSError: pass",
    ),
    refused("send descriptors to the slot", "import socket, os; s = socket.socket(fileno=os.dup(5)); socket.send_fds(s, [b'x'], [0])"),
    survives(
        "descriptors of others by /proc",
        """
        import glob, os
        for path in glob.glob("/proc/[0-9]*/fd/*"):
            if path.split("/")[2] == str(os.getpid()): continue
            try: print("BREACH", path, os.readlink(path), os.open(path, os.O_RDONLY))
            except OSError: pass
        """,
    ),
    survives("exit functions that write after the end", "import atexit, os\natexit.register(os.write, 1, b'late')"),
    survives("replace the harness's exit", "import os\nos._exit = lambda code: None"),
    survives(
        "walk the frames into the agent",
        """
        import sys
        frame = sys._getframe()
        while frame:
            for name in ("self", "fds", "request", "control"):
                value = frame.f_locals.get(name)
                if hasattr(value, "_control"):
                    try: value._control.send(b"r")
                    except OSError: pass
                    else: print("BREACH", name)
            frame = frame.f_back
        """,
    ),
    survives(
        "harvest objects of the collector for a control socket",
        """
        import gc, os, socket, stat
        for thing in gc.get_objects():
            if isinstance(thing, socket.socket) and thing.fileno() >= 0:
                try:
                    if stat.S_ISSOCK(os.fstat(thing.fileno()).st_mode): print("BREACH", thing)
                except OSError: pass
        """,
    ),
    survives(
        "return into the slot by an exception",
        "import sys\nclass Odd(BaseException): pass\nsys.exc_clear = None\nraise Odd",
    ),
    # kernel objects
    refused("POSIX shared memory outside of the box", "open('/dev/shm/../mqueue/x', 'w')"),
    refused("keyring of the session", _LIBC + "assert libc.syscall(250, 1, -3, None, 0, 0) >= 0"),
    refused("a new namespace by unshare", _LIBC + "assert libc.unshare(0x10000000) == 0"),
    refused("a new network namespace", _LIBC + "assert libc.unshare(0x40000000) == 0"),
    refused("nested user namespace by the shell", "import subprocess; subprocess.run(['unshare', '-Ur', 'true'], check=True)"),
    refused("io_uring", _LIBC + "assert libc.syscall(425, 8, ctypes.byref(ctypes.create_string_buffer(256))) >= 0"),
    refused("attach with ptrace to the parent", _LIBC + "assert libc.ptrace(16, os.getppid(), 0, 0) == 0"),
    refused("seize the parent", _LIBC + "assert libc.ptrace(0x4206, os.getppid(), 0, 0) == 0"),
    refused("watch a directory of the system", "import fcntl, os; fcntl.fcntl(os.open('/usr/lib', os.O_RDONLY), fcntl.F_NOTIFY, fcntl.DN_ACCESS)"),
    refused("keep others from a file of the system", "import fcntl, os; fcntl.fcntl(open(os.__file__), fcntl.F_SETLEASE, fcntl.F_WRLCK)"),
    survives(
        "times and modes of foreign files",
        """
        import os, sys
        for path in ("/", "/usr", "/etc", "/bin/sh", "/dev/null", os.__file__, sys.prefix, sys.executable):
            before = os.stat(path)
            for change in (
                lambda: os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns)),
                lambda: os.chmod(path, before.st_mode & 0o7777),
                lambda: os.chown(path, before.st_uid, before.st_gid),
                lambda: os.setxattr(path, "user.x", b"1"),
            ):
                try: change()
                except OSError: pass
            if os.stat(path).st_ctime_ns != before.st_ctime_ns: print("BREACH", path)
        """,
    ),
    refused("watch files of the system", _LIBC + "assert libc.inotify_add_watch(libc.inotify_init1(0), b'/usr/lib', 0xfff) >= 0"),
    survives(
        "thousands of timers",
        _LIBC + "for _ in range(5000):\n    if libc.timer_create(1, None, ctypes.byref(ctypes.c_void_p())): break",
    ),
    survives(
        "an alarm that outlives exec",
        "import os, signal\nsignal.setitimer(signal.ITIMER_REAL, 0.5)\nos.execv('/bin/sleep', ['sleep', '0.1'])",
    ),
    refused("core dumps", "import resource; resource.setrlimit(resource.RLIMIT_CORE, (2**20, 2**20))"),
    survives("a core dump", "import os, signal; os.kill(os.getpid(), signal.SIGABRT)"),
    survives(
        "locked memory",
        _LIBC + "if libc.mlockall(3) == 0:\n    b = bytearray(1 << 20)\n    print('BREACH')",
    ),
    survives(
        "a program from a memory file",
        """
        import os
        try: fd = os.memfd_create("program")
        except OSError: raise SystemExit
        os.write(fd, open("/bin/sh", "rb").read())
        if os.fork() == 0: os.execve(fd, ["sh", "-c", "cat /etc/shadow && echo BREACH"], {})
        os.wait()
        """,
    ),
    survives("huge sparse files", "import os\nfor i in range(50):\n    try: os.truncate(os.open(f's{i}', os.O_CREAT | os.O_RDWR), 1 << 62)\n    except OSError: pass"),
    survives("preallocate the disk", "import os\nfor i in range(50):\n    try: os.posix_fallocate(os.open(f'p{i}', os.O_CREAT | os.O_RDWR), 0, 1 << 23)\n    except OSError: pass"),
    refused("hard link to a file of the system", "import os; os.link('/bin/sh', 'sh')"),
    survives(
        "hard link to a file of another",
        "import os\nfor p in ('/etc/passwd', '/etc/group', '/proc/self/environ'):\n    try: os.link(p, 'x'); print('BREACH', p)\n    except OSError: pass",
    ),
    survives(
        "a named pipe and a socket in the box",
        "import os, socket\nos.mkfifo('pipe')\ntry: socket.socket(socket.AF_UNIX).bind('s')\nexcept OSError: pass",
    ),
    survives("immutable files", "import fcntl, struct\nf = open('x', 'w')\ntry: fcntl.ioctl(f, 0x40086602, struct.pack('l', 0x30))\nexcept OSError: pass"),
    survives(
        "directories in the way of cleaning",
        "import os\nfor i in range(8):\n    os.makedirs(f'.moved-{i}-{os.getppid()}/d/d')\n    os.chmod(f'.moved-{i}-{os.getppid()}/d', 0)\n"
        "os.makedirs('a/b/c/d/e')",
    ),
    survives("mount points held by the working directory of a child", "import os, time\nif os.fork() == 0:\n    os.setsid(); os.mkdir('d'); os.chdir('d'); time.sleep(600)"),
    survives("leases and locks", "import fcntl, os\nf = open('x', 'w')\nfcntl.flock(f, fcntl.LOCK_EX)\ntry: fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_WRLCK)\nexcept OSError: pass"),
    refused("the control groups of the host", "import os; os.mkdir('/sys/fs/cgroup/owned')"),
    refused("leave the control group", "import os; open('/sys/fs/cgroup/cgroup.procs', 'w').write(str(os.getpid()))"),
    survives(
        "an abstract socket for the job after",
        "import os, socket, time\ntry:\n    s = socket.socket(socket.AF_UNIX); s.bind('\\0rendezvous'); s.listen()\nexcept OSError: raise SystemExit\n"
        "if os.fork() == 0:\n    os.setsid(); time.sleep(600)",
    ),
    refused("find the abstract socket of the job before", "import socket; socket.socket(socket.AF_UNIX).connect('\0rendezvous')"),
)  # fmt: skip
