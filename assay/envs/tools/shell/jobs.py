"""The two programs that run in the sandbox: one runs a command in the agent's files, one reads what became of them.

A command runs in a job of its own: the files are unpacked, bash runs, and what is there afterwards is packed again.
Whatever the command does to that job (its processes, its PATH, the packing itself), all it can bring about is some tree
of files, and a tree is all that is judged. `read` then runs where none of the agent's processes ever ran, and only
parses the archive: nothing in it is unpacked or executed, no link is followed.
"""

from __future__ import annotations

import json
from typing import Any

from assay.core.errors import Fault
from assay.envs.tools.shell.tree import Tree
from assay.sandboxes import Job, JobResult, Limits, Sandbox

_STATE = ".state"
LIMITS = Limits(cpu_seconds=5, memory_bytes=256 * 2**20, output_bytes=2**20, disk_bytes=8 * 2**20)
"""Of one command. The files may take `output_bytes` in all, packed."""

_RUN = """
import io, os, stat, subprocess, sys, tarfile

root = "/box/home"
with open("/box/.state", "rb") as file:
    before = file.read()
os.unlink("/box/.state")
os.mkdir(root)
with tarfile.open(fileobj=io.BytesIO(before)) as archive:
    archive.extraction_filter = lambda member, path: member  # as `filter=`, which Pythons before 3.11.4 do not take
    archive.extractall(root)
with open("/box/.command", "rb") as file:
    command = file.read()
os.unlink("/box/.command")
sys.stdout.flush()
os.environ["HOME"] = root
done = subprocess.run(["/bin/bash", "-c", command], cwd=root, stdin=subprocess.DEVNULL)


def add(path, name):
    about = os.lstat(path)
    if stat.S_ISDIR(about.st_mode):
        os.chmod(path, about.st_mode | 0o700)
        names = sorted(os.listdir(path))
    entry = archive.gettarinfo(path, name)
    if entry is None or not (entry.isreg() or entry.isdir() or entry.issym() or entry.islnk()):
        return
    entry.mode = stat.S_IMODE(about.st_mode)
    entry.mtime = entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    if stat.S_ISREG(about.st_mode):
        os.chmod(path, about.st_mode | 0o400)
        with open(path, "rb") as file:
            content = file.read()
        entry.type, entry.size = tarfile.REGTYPE, len(content)
        archive.addfile(entry, io.BytesIO(content))
    else:
        archive.addfile(entry)
    if stat.S_ISDIR(about.st_mode):
        for child in names:
            add(path + "/" + child, name + "/" + child)


with tarfile.open("/box/.state", "w") as archive:
    os.chmod(root, 0o700)
    for child in sorted(os.listdir(root)):
        add(root + "/" + child, child)
sys.exit(done.returncode if done.returncode >= 0 else 128 - done.returncode)
"""

_READ = """
import io, json, os, tarfile, zipfile

found = {}


def text(content):
    return content.decode("utf-8", "backslashreplace")


def members(name, content):
    try:
        if name.endswith(".zip"):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                return {i.filename: text(archive.read(i)) for i in archive.infolist() if not i.is_dir()}
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            return {e.name.removeprefix("./"): text(archive.extractfile(e).read()) for e in archive if e.isreg()}
    except Exception:
        return None


with tarfile.open("/box/.state") as archive:
    for entry in archive:
        name = text(os.fsencode(entry.name))
        if entry.isdir():
            found[name] = {"dir": True}
        elif entry.issym():
            found[name] = {"link": text(os.fsencode(entry.linkname))}
        elif entry.isreg():
            content = archive.extractfile(entry).read()
            node = {"text": text(content), "mode": entry.mode}
            inside = members(entry.name, content) if entry.name.endswith((".tar", ".tar.gz", ".tgz", ".zip")) else None
            found[name] = node if inside is None else {"members": inside, "mode": entry.mode}
print(json.dumps(found))
"""


def run(sandbox: Sandbox, command: str, state: bytes, limits: Limits) -> tuple[bytes, str]:
    """Run a command; return the files afterwards, packed, and what the agent sees.

    A command that breaks a limit, or its own job, changes nothing. Raises `Fault` for what is the sandbox's doing.
    """
    files = {_STATE: state, ".command": command.encode("utf-8", "replace")}
    result = sandbox.run(Job(source=_RUN, files=files, fetch=(_STATE,), limits=limits))
    if result.fault:
        raise Fault(f"sandbox: {result.reason}")
    shown = "\n".join(filter(None, (_text(result.stdout), _text(result.stderr))))
    after = result.files.get(_STATE)
    if result.status not in ("ok", "nonzero") or not after or len(after) >= limits.output_bytes:
        what = result.reason or "its files could not be kept"
        return state, f"{shown}\n(stopped: {what}; all files are as they were before this command)".lstrip()
    if result.exit_code:
        shown = f"{shown}\n(exit code {result.exit_code})".lstrip()
    return after, shown or "(no output)"


def read(sandbox: Sandbox, state: bytes, limits: Limits) -> Tree | None:
    """Return the tree that an archive holds, or None when it is none: then the agent forged it."""
    result = sandbox.run(Job(source=_READ, files={_STATE: state}, limits=_for_reading(limits)))
    if result.fault:
        raise Fault(f"sandbox: {result.reason}")
    return _tree(result) if result.ok and not result.truncated else None


def _for_reading(limits: Limits) -> Limits:
    return Limits(memory_bytes=limits.memory_bytes, output_bytes=16 * limits.output_bytes)


def _tree(result: JobResult) -> Tree | None:
    found: Any = json.loads(result.stdout)
    return found if isinstance(found, dict) else None


def _text(output: bytes) -> str:
    return output.decode("utf-8", "replace").rstrip("\n")
