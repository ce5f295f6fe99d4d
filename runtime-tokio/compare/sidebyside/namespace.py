"""A network, PID and mount namespace of its own for a command. All three end with their first process, and that with ours: nothing is left
behind, however this program ends."""
import ctypes
import os
import shutil
import signal
import subprocess

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class Unable(Exception):
    """This machine, or this user, cannot do it."""


def check():
    """Unable, with what is missing, unless namespaces can be made here."""
    if os.geteuid() != 0:
        raise Unable("namespaces need root: run this as root, or with sudo")
    for tool, package in (("ip", "iproute2"), ("unshare", "util-linux")):
        if not shutil.which(tool):
            raise Unable(f"there is no `{tool}` in $PATH (Debian: apt-get install {package})")
    tried = subprocess.run([*_ENTER, "true"], capture_output=True, text=True)
    if tried.returncode:
        raise Unable(f"no namespace can be made here: {tried.stderr.strip() or tried.returncode}")


_ENTER = ["unshare", "--net", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc"]


def start(command, **popen):
    """The command as first process of new namespaces; it is killed when this thread's process ends."""
    parent = os.getpid()

    def die_with_parent():
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return subprocess.Popen([*_ENTER, *command], preexec_fn=die_with_parent, start_new_session=True, **popen)
