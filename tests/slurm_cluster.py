"""A real Slurm on loopback: munged, slurmctld and slurmd from the packages of the system.

It needs no systemd, no cgroups and no accounting database. Everything lies in one folder, on free
ports, so that clusters of several test processes stand beside each other and beside a real one.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo")
PACKAGES = ("munge", "slurmctld", "slurmd", "slurm-client")
# Daemons live where the PATH of a user does not lead.
PATH = os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/sbin"])
N_CPUS = 2
MEMORY_MB = 1000
KILL_WAIT_S = 20  # between SIGTERM and SIGKILL
ENDED = frozenset({"BOOT_FAIL", "CANCELLED", "COMPLETED", "FAILED", "NODE_FAIL", "TIMEOUT"})

CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={controller_port}
SlurmdPort={daemon_port}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SlurmdParameters=config_overrides
ReturnToService=2
KillWait={kill_wait_s}
MinJobAge=3600
NodeName={host} NodeAddr=127.0.0.1 CPUs={n_cpus} RealMemory={memory_mb} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


class SlurmMissingError(Exception):
    """There is no Slurm here and none can be installed; the text says why."""


@dataclass(frozen=True)
class Cluster:
    """A running cluster of one node."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """What makes the commands of Slurm talk to this cluster."""
        return {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": PATH}

    def run(self, *command: str) -> str:
        """What a command of Slurm prints."""
        done = subprocess.run(
            command, env=os.environ | self.environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def facts(self, job: str) -> dict[str, str]:
        """What the controller knows of a job or, as ``12_3``, of one shard."""
        words = self.run("scontrol", "--oneliner", "show", "job", job).split()
        return dict(word.split("=", 1) for word in words if "=" in word)

    def wait_for(self, job: str, *states: str, timeout_s: float = 90) -> dict[str, str]:
        """The facts of a job once it is in one of some states, by default at its end."""
        end_s = time.monotonic() + timeout_s
        while (facts := self.facts(job))["JobState"] not in (states or ENDED):
            assert time.monotonic() < end_s, f"{job} is {facts}\n{self.logs()}"
            time.sleep(0.2)
        return facts

    def logs(self) -> str:
        """The last words of the daemons."""
        files = sorted(self.folder.glob("*.log"))
        return "\n".join(f"{f.name}:\n{f.read_text(errors='replace')[-2000:]}" for f in files)


@contextmanager
def running_cluster() -> Iterator[Cluster]:
    """A cluster that accepts jobs; all of it is stopped afterwards.

    Raises
    ------
    SlurmMissingError
        The programs are missing and cannot be installed.
    """
    install()
    with tempfile.TemporaryDirectory(prefix="atomlake-slurm-") as name:
        cluster = Cluster(Path(name))
        _write_files(cluster.folder)
        daemons: list[subprocess.Popen[bytes]] = []
        try:
            for command in _daemons(cluster.folder):
                daemons.append(_start(command, cluster))  # noqa: PERF401 - each is to be stopped
            _wait_until_idle(cluster, daemons)
            yield cluster
        finally:
            _stop(cluster, daemons)


def install() -> None:
    """Install the packages where they are missing and this user may.

    Raises
    ------
    SlurmMissingError
        The programs are missing and cannot be installed.
    """
    missing = _missing_programs()
    if not missing:
        return
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise SlurmMissingError(
            f"no Slurm here ({', '.join(missing)} missing), and only root can install it: "
            f"apt-get install {' '.join(PACKAGES)}"
        )
    with (Path(tempfile.gettempdir()) / "atomlake-slurm.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several test processes begin at once
        if _missing_programs():
            with _no_services():
                _apt(["apt-get", "update"])
                _apt(["apt-get", "install", "-y", "--no-install-recommends", *PACKAGES])


def _missing_programs() -> list[str]:
    return [name for name in PROGRAMS if shutil.which(name, path=PATH) is None]


def _apt(command: list[str]) -> None:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
    except subprocess.TimeoutExpired:
        raise SlurmMissingError(f"{' '.join(command)} took too long") from None
    if done.returncode:
        raise SlurmMissingError(f"{' '.join(command)}: {done.stderr.strip()[-300:]}")


@contextmanager
def _no_services() -> Iterator[None]:
    """Keep packages from starting their services, as policy-rc.d is there for."""
    policy = Path("/usr/sbin/policy-rc.d")
    if policy.exists():
        yield
        return
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    try:
        yield
    finally:
        policy.unlink()


def _write_files(folder: Path) -> None:
    folder.chmod(0o755)  # munged wants others to reach its socket, and nobody to write beside it
    for name in ("state", "spool"):
        (folder / name).mkdir()
    key = folder / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(128))
    controller_port, daemon_port = free_ports(2)
    text = CONFIGURATION.format(
        folder=folder,
        host=socket.gethostname().split(".")[0],
        user=getuser(),
        controller_port=controller_port,
        daemon_port=daemon_port,
        n_cpus=N_CPUS,
        memory_mb=MEMORY_MB,
        kill_wait_s=KILL_WAIT_S,
    )
    (folder / "slurm.conf").write_text(text)
    if _release() >= (23, 2):  # these look for cgroups whatever slurm.conf says
        (folder / "cgroup.conf").write_text("CgroupPlugin=disabled\n")


def _release() -> tuple[int, ...]:
    """The release of Slurm, e.g. (22, 5): what ``slurmd -V`` prints last is 22.05.8."""
    said = subprocess.run(
        [str(shutil.which("slurmd", path=PATH)), "-V"], capture_output=True, text=True, check=True
    )
    return tuple(int(number) for number in said.stdout.split()[-1].split(".")[:2])


def free_ports(n: int) -> list[int]:
    """Ports of loopback that nobody listens on."""
    sockets = [socket.socket() for _ in range(n)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _daemons(folder: Path) -> Iterator[list[str]]:
    files = {name: f"--{name}-file={folder}/munge.{name}" for name in ("key", "pid", "log", "seed")}
    yield ["munged", "--foreground", "--force", f"--socket={folder}/munge.socket", *files.values()]
    yield ["slurmctld", "-D", "-f", f"{folder}/slurm.conf"]
    yield ["slurmd", "-D", "-f", f"{folder}/slurm.conf"]


def _start(command: list[str], cluster: Cluster) -> subprocess.Popen[bytes]:
    program = shutil.which(command[0], path=PATH)
    assert program is not None
    with (cluster.folder / f"{command[0]}.log").open("wb") as log:
        return subprocess.Popen(
            [program, *command[1:]],
            env=os.environ | cluster.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the tests, which stop the daemons in order
        )


def _wait_until_idle(cluster: Cluster, daemons: list[subprocess.Popen[bytes]]) -> None:
    end_s = time.monotonic() + 60
    while "idle" not in _state(cluster):
        dead = [each.args for each in daemons if each.poll() is not None]
        assert not dead, f"{dead} ended\n{cluster.logs()}"
        assert time.monotonic() < end_s, cluster.logs()
        time.sleep(0.2)


def _state(cluster: Cluster) -> str:
    """What the controller says of the node; nothing while it does not answer."""
    asked = subprocess.run(
        ["sinfo", "--noheader", "--format=%T"],
        env=os.environ | cluster.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return asked.stdout


def _stop(cluster: Cluster, daemons: list[subprocess.Popen[bytes]]) -> None:
    """End all jobs, then the daemons, the last one first."""
    if len(daemons) == 3 and _state(cluster):
        _end_jobs(cluster)
    for daemon in reversed(daemons):
        daemon.send_signal(signal.SIGTERM)
        try:
            daemon.wait(timeout=20)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()


def _end_jobs(cluster: Cluster) -> None:
    cluster.run("scancel", f"--user={getuser()}", "--signal=KILL", "--full")
    cluster.run("scancel", f"--user={getuser()}")
    end_s = time.monotonic() + KILL_WAIT_S + 20
    while cluster.run("squeue", "--noheader").strip() and time.monotonic() < end_s:
        time.sleep(0.2)


def job_environment(cluster: Cluster, **more: str) -> Mapping[str, str]:
    """The environment of this process, as one of a user of the cluster."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SBATCH_", "SLURM_"))}
    return kept | cluster.environment | more
