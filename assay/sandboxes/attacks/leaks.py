"""What a job can learn of its host, of its caller, and of the jobs before it."""

from __future__ import annotations

from assay.sandboxes.attacks.base import Attack, refused, survives

LEAKS: tuple[Attack, ...] = (
    survives(
        "secrets in the environment",
        """
        import os
        known = {"PATH", "LANG", "LC_ALL", "LC_CTYPE", "HOME", "TMPDIR", "PWD", "PYTHONHASHSEED", "PYTHONDONTWRITEBYTECODE",
                 "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"}
        extra = set(os.environ) - known
        if extra: print("BREACH", extra)
        """,
    ),
    survives(
        "other processes",
        """
        import os
        try: seen = os.listdir("/proc")
        except OSError: seen = []
        others = [p for p in seen if p.isdigit() and int(p) not in (1, os.getpid())]
        if others: print("BREACH", others)
        """,
    ),
    survives(
        "host name",
        "import socket\nif socket.gethostname() not in ('sandbox', ''): print('host', socket.gethostname())",
    ),
    survives(
        "files of the job before",
        "import os\nif os.listdir('.'): print('BREACH', os.listdir('.'))\nopen('secret', 'w').write('x')",
    ),
    survives(
        "traces on the directory itself",
        "import os\ns = os.stat('.')\nprint(s.st_mtime_ns, oct(s.st_mode))\n"
        "try: os.chmod('.', 0o700)\nexcept OSError: pass\n"
        "try: os.setxattr('.', 'user.x', b'1')\nexcept OSError: pass\n",
    ),
    survives(
        "sources of the harness's caller",
        "try:\n    import assay.verifiers\nexcept ImportError: pass\n",
    ),
    survives(
        "code of earlier jobs in the memory of the interpreter",
        """
        import re
        mark = b"needle-" + b"4711"
        marks = mark + b"-of-an-earlier-job"
        with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
            for line in maps:
                span, rights = line.split()[:2]
                if "r" not in rights or "[v" in line: continue
                first, last = (int(x, 16) for x in span.split("-"))
                try:
                    memory.seek(first)
                    block = memory.read(last - first)
                except (OSError, ValueError, OverflowError): continue
                if block.count(marks[:12] + marks[12:]) > 8: print("BREACH")
        """,
    ),
    refused("write into the payload", "import os; os.write(3, b'x')"),
    refused("write into stdin", "import os; os.write(0, b'x')"),
    refused("resize stdin", "import os; os.ftruncate(0, 100)"),
    refused("write to the result channel of a plain program", "import os; os.write(4, b'x')"),
    refused("write to the harness's channel", "import os; os.write(5, b'x')"),
)
