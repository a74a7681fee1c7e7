"""Programs that must work: what honest solutions do. A sandbox that fails one of them produces false negatives."""

from __future__ import annotations

import textwrap

HONEST: dict[str, str] = {
    "print": "print('ok')",
    "exit": "print('ok'); exit()",
    "quit 0": "print('ok'); quit(0)",
    "sys.exit": "import sys; print('ok'); sys.exit()",
    "open(0)": "print(open(0).read().strip())",
    "input": "print(input())",
    "stdin.buffer": "import sys; print(sys.stdin.buffer.read().decode().strip())",
    "stdin by readline": "import sys; print(sys.stdin.readline().strip())",
    "read until EOFError": "out = ''\ntry:\n    while True: out += input()\nexcept EOFError: print(out)",
    "/dev/stdin": "print(open('/dev/stdin').read().strip())",
    "/dev/stdout": "open('/dev/stdout', 'w').write('ok')",
    "stdout.buffer": "import sys; sys.stdout.buffer.write(b'ok')",
    "os.write": "import os; os.write(1, b'ok')",
    "recursion": "import sys\nsys.setrecursionlimit(10**6)\ndef f(n): return n and f(n - 1)\nf(50000)\nprint('ok')",
    "recursion in a thread": (
        "import sys, threading\nsys.setrecursionlimit(10**6)\nthreading.stack_size(256 << 20)\n"
        "def f(n): return n and f(n - 1)\ndef g(): f(100000); print('ok')\n"
        "t = threading.Thread(target=g); t.start(); t.join()"
    ),
    "multiprocessing pool": (
        "import multiprocessing\ndef f(x): return x * x\nif __name__ == '__main__':\n"
        "    with multiprocessing.Pool(2) as p: assert p.map(f, range(5)) == [0, 1, 4, 9, 16]\n    print('ok')"
    ),
    "process pool executor": (
        "from concurrent.futures import ProcessPoolExecutor\ndef f(x): return x + 1\n"
        "with ProcessPoolExecutor(2) as p: assert list(p.map(f, range(3))) == [1, 2, 3]\nprint('ok')"
    ),
    "thread pool executor": "from concurrent.futures import ThreadPoolExecutor as T\nwith T(4) as t: print(t.submit(lambda: 'ok').result())",
    "asyncio": "import asyncio\nasync def main():\n    await asyncio.sleep(0.01)\n    print('ok')\nasyncio.run(main())",
    "a thread that is not joined": "import threading, time\nthreading.Thread(target=lambda: (time.sleep(0.05), print('ok'))).start()",
    "atexit": "import atexit; atexit.register(print, 'ok')",
    "tempfile": "import tempfile\nwith tempfile.NamedTemporaryFile('w+') as f:\n    f.write('ok'); f.seek(0); print(f.read())",
    "files in the working directory": "open('a.txt', 'w').write('ok'); print(open('a.txt').read())",
    "/tmp": "open('/tmp/a', 'w').write('ok'); print(open('/tmp/a').read())",
    "sqlite3": "import sqlite3\nc = sqlite3.connect('x.db'); c.execute('create table t (v)'); c.execute(\"insert into t values ('ok')\"); c.commit()\nprint(c.execute('select v from t').fetchone()[0])",
    "subprocess": "import subprocess; print(subprocess.run(['echo', 'ok'], capture_output=True, text=True).stdout)",
    "the interpreter again": "import subprocess, sys; print(subprocess.run([sys.executable, '-c', 'print(\"ok\")'], capture_output=True, text=True).stdout)",
    "shell": "import os; os.system('echo ok')",
    "unicode": "s = 'ÿ€漢😀'; print(s == s.encode().decode() and 'ok')",
    "undecodable input": "import sys; sys.stdin.read(); print('ok')",
    "pickle of a class in __main__": "import pickle\nclass A: pass\nassert isinstance(pickle.loads(pickle.dumps(A())), A)\nprint('ok')",
    "dataclass": "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int = 1\nassert P() == P(1)\nprint('ok')",
    "get_type_hints": "import typing\nclass A:\n    x: 'list[int]'\nassert typing.get_type_hints(A)\nprint('ok')",
    "inspect.getsource": "import inspect\ndef f(): return 1\nassert 'return 1' in inspect.getsource(f)\nprint('ok')",
    "alarm": "import signal, time\ndef h(*a): print('ok'); raise SystemExit\nsignal.signal(signal.SIGALRM, h); signal.setitimer(signal.ITIMER_REAL, 0.05)\ntime.sleep(5)",
    "KeyboardInterrupt": "import os, signal\ntry:\n    os.kill(os.getpid(), signal.SIGINT)\n    import time; time.sleep(1)\nexcept KeyboardInterrupt: print('ok')",
    "random differs": "import random; random.random(); print('ok')",
    "time zones": "from datetime import datetime, timezone; datetime.now(timezone.utc).astimezone(); print('ok')",
    "if __name__": "if __name__ == '__main__': print('ok')",
    "class Solution": "class Solution:\n    def f(self): return 'ok'\nprint(Solution().f())",
    "global state": "x = 0\ndef f():\n    global x\n    x += 1\nf(); assert x == 1\nprint('ok')",
    "from __future__": "from __future__ import annotations\ndef f(x: Unknown): pass\nprint('ok')",
    "match": "match [1, 2]:\n    case [a, b]: print('ok')",
    "warnings": "import warnings; warnings.warn('careful'); print('ok')",
    "getpass": "import getpass; getpass.getuser(); print('ok')",
    "large output": "print('ok'); print('x' * 900_000)",
    "large integers": "print('ok' if pow(3, 10**5) % 7 >= 0 else '')",
    "locale": "import locale; locale.getpreferredencoding(); print('ok')",
    "shared memory": "from multiprocessing import shared_memory as s\nm = s.SharedMemory(create=True, size=64); m.buf[0] = 1; m.close(); m.unlink(); print('ok')",
    "asyncio subprocess": (
        "import asyncio\nasync def main():\n"
        "    p = await asyncio.create_subprocess_exec('echo', 'ok', stdout=asyncio.subprocess.PIPE)\n"
        "    print((await p.communicate())[0].decode())\nasyncio.run(main())"
    ),
    "multiprocessing by spawn": (
        "import multiprocessing\ndef f(pipe): pipe.send('ok')\nif __name__ == '__main__':\n"
        "    spawn = multiprocessing.get_context('spawn')\n    ours, theirs = spawn.Pipe()\n"
        "    p = spawn.Process(target=f, args=(theirs,)); p.start(); p.join()\n    print(ours.recv() if ours.poll() else 'nothing')"
    ),
    "multiprocessing manager": "import multiprocessing\nwith multiprocessing.Manager() as m: print(m.dict(a='ok')['a'])",
    "dataclasses across processes": (
        "import multiprocessing\nfrom dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n"
        "def f(p): return P(p.x + 1)\nif __name__ == '__main__':\n"
        "    with multiprocessing.Pool(2) as p: assert p.map(f, [P(1), P(2)]) == [P(2), P(3)]\n    print('ok')"
    ),
    "temporary files of all kinds": (
        "import os, tempfile\nwith tempfile.TemporaryDirectory() as d: open(d + '/x', 'w').close()\n"
        "with tempfile.TemporaryFile() as f: f.write(b'x')\nwith tempfile.SpooledTemporaryFile(10) as f: f.write(b'x' * 100)\n"
        "fd, path = tempfile.mkstemp(); os.close(fd); os.unlink(path); print('ok')"
    ),
    "sqlite3 with a log of its own": (
        "import sqlite3\nc = sqlite3.connect('x.db'); c.execute('pragma journal_mode=wal'); c.execute('create table t (v)')\n"
        "c.executemany('insert into t values (?)', [(i,) for i in range(100)]); c.commit()\n"
        "print('ok' if sqlite3.connect(':memory:').execute('select 1').fetchone() == (1,) else '')"
    ),
    "mmap": "import mmap\nf = open('m', 'w+b'); f.truncate(8192); m = mmap.mmap(f.fileno(), 0); m[:2] = b'ok'; print(m[:2].decode())",
    "stdin by mmap": "import mmap; print(mmap.mmap(0, 0, access=mmap.ACCESS_READ).read().decode())",
    "stdin by its size": "import io, os; print(io.BytesIO(os.read(0, os.fstat(0).st_size)).readline().decode())",
    "stdin wrapped again": "import io, sys; sys.stdin = io.TextIOWrapper(sys.stdin.buffer); print(sys.stdin.read())",
    "faulthandler": "import faulthandler; faulthandler.enable(); faulthandler.dump_traceback_later(60); faulthandler.cancel_dump_traceback_later(); print('ok')",
    "tracemalloc": "import tracemalloc; tracemalloc.start(); x = [0] * 1000; print('ok' if tracemalloc.get_traced_memory()[0] else '')",
    "hashes that need memory": "import hashlib; hashlib.scrypt(b'a', salt=b'b', n=1024, r=8, p=1); print('ok')",
    "random numbers of the system": "import random, secrets, uuid; random.SystemRandom().random(); secrets.token_hex(); uuid.uuid1(); print('ok')",
    "ssl": "import ssl; ssl.create_default_context(); print('ok')",
    "ctypes": "import ctypes; print('ok' if ctypes.CDLL(None).getpid() and ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 1)() else '')",
    "unittest": "import unittest\nprint('ok', flush=True)\nclass T(unittest.TestCase):\n    def test(self): self.assertEqual(1, 1)\nunittest.main()",
    "doctest": "import doctest\ndef f():\n    '''\n    >>> f()\n    1\n    '''\n    return 1\nprint('ok' if doctest.testmod().attempted == 1 else '')",
    "logging to a file": "import logging; logging.basicConfig(filename='log'); logging.warning('x'); print('ok' if open('log').read() else '')",
    "size of the terminal": "import os, shutil\ntry: os.get_terminal_size()\nexcept OSError: print('ok' if shutil.get_terminal_size() else '')",
    "readline": "import readline; print('ok')",
    "copies of files": "import shutil\nopen('a', 'w').write('ok'); shutil.copy('a', 'b'); shutil.copy2('b', 'c'); shutil.move('c', 'd'); print(open('d').read())",
    "archives": (
        "import tarfile\nopen('a', 'w').write('ok')\nwith tarfile.open('t', 'w:gz') as t: t.add('a')\n"
        "with tarfile.open('t') as t: t.extractall('out')\nprint(open('out/a').read())"
    ),
    "a module that it wrote": "open('mine.py', 'w').write('x = \"ok\"')\nimport mine; print(mine.x)",
    "its own file": "print('ok' if open(__file__).read().startswith('print') else '')",
    "a file that is not closed": "f = open(1, 'w', closefd=False); f.write('ok')",
    "a finalizer at the end": "class A:\n    def __del__(self): print('ok')\na = A()",
    "unix socket": "import socket\na = socket.socket(socket.AF_UNIX); a.bind('s'); a.listen(); b = socket.socket(socket.AF_UNIX); b.connect('s'); print('ok')",
}  # fmt: skip
"""Name -> program; run with `ok` on stdin, each must exit with 0 and `ok` as the first line of its output."""

HONEST = {name: textwrap.dedent(source) + "\n" for name, source in HONEST.items()}
