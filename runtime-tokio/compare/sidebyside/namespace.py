"""A network, PID and mount namespace of its own for a command. All three end with their first process, and that with ours: nothing is left
behind, however this program ends."""

import os
import shutil
import subprocess

_WITH_US = ["setpriv", "--pdeathsig", "KILL"]
_ENTER = ["unshare", "--net", "--pid", "--mount", "--fork", "--kill-child", "--mount-proc"]


class Unable(Exception):
    """This machine, or this user, cannot do it."""


def check():
    """Unable, with what is missing, unless namespaces can be made here."""
    if os.geteuid() != 0:
        raise Unable("namespaces need root: run this as root, or with sudo")
    for tool, package in (("ip", "iproute2"), ("unshare", "util-linux"), ("setpriv", "util-linux")):
        if not shutil.which(tool):
            raise Unable(f"there is no `{tool}` in $PATH (Debian: apt-get install {package})")
    tried = subprocess.run([*_WITH_US, *_ENTER, "true"], capture_output=True, text=True)
    if tried.returncode:
        raise Unable(f"no namespace can be made here: {tried.stderr.strip() or tried.returncode}")


def start(command, **popen):
    """The command as first process of new namespaces; it is killed when this process ends."""
    return subprocess.Popen([*_WITH_US, *_ENTER, *command], start_new_session=True, **popen)
