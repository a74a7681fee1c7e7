"""What a container may do: as little as the engine can be told.

No network, no capability, no new privileges, a read-only root, a user id that exists nowhere else, limits for memory
(swap included), processes, CPU and descriptors, the engine's default seccomp profile; writable are only tmpfs mounts
of limited size. Inside, every job is confined once more by the agent's own seccomp filter, Landlock and rlimits.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from assay.sandboxes.base import Limits
from assay.sandboxes.docker import owner
from assay.sandboxes.local import layout
from assay.sandboxes.local.zygote import AGENT, boot_options

BOX = "/assay-box"
"""A path that no image has: of a directory that exists, the mount would take over the mode."""
HOME = Path("/run/assay")
"""Where a container finds the agent and its control socket. No job can read it."""
OVERHEAD_PROCESSES = 2
"""The zygote and the slot."""
_OVERHEAD_BYTES = 64 * 2**20
_BYTES_PER_INODE = 4096


def options(
    image: str, python: str, modules: tuple[str, ...], limits: Limits, cpus: float, state: Path, uid: int
) -> dict[str, Any]:
    """Return the arguments of `containers.create`. `state`: directory with `control/`, `passwd` and `group`."""
    from docker.types import LogConfig, Mount, Ulimit

    memory = limits.memory_bytes + limits.disk_bytes + _OVERHEAD_BYTES
    socket = str(HOME / "control" / "socket")
    inodes = 1024 + limits.disk_bytes // _BYTES_PER_INODE
    scratch = f"rw,nosuid,nodev,exec,mode=1777,size={limits.disk_bytes},nr_inodes={inodes}"
    mounts = {
        HOME / "agent": AGENT,
        HOME / "control": state / "control",
        Path("/etc/passwd"): state / "passwd",
        Path("/etc/group"): state / "group",
    }
    return {
        "image": image,
        "entrypoint": [python, *boot_options(HOME / "agent"), socket, ",".join(layout.ENVIRONMENT), *modules],
        "environment": {**layout.ENVIRONMENT, **layout.BINDING},
        "user": f"{uid}:{uid}",
        "hostname": "sandbox",
        "working_dir": "/",
        "network_mode": "none",
        "ipc_mode": "private",
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "pids_limit": limits.processes + OVERHEAD_PROCESSES,
        "mem_limit": memory,
        "memswap_limit": memory,
        "nano_cpus": round(cpus * 1e9),
        "ulimits": [Ulimit(name="core", soft=0, hard=0)],
        "shm_size": limits.disk_bytes,
        "tmpfs": {BOX: scratch, "/tmp": scratch},
        "mounts": [Mount(str(inside), str(ours), "bind", read_only=True) for inside, ours in mounts.items()],
        "labels": {owner.LABEL: owner.identity()},
        "log_config": LogConfig(type="json-file", config={"max-size": "64k"}),
    }
