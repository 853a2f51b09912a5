"""System calls that a worker of the sandbox must not be able to make: name -> how it would be done.

REFUSED give an error; DEADLY end the process at once. Numbers are those of x86_64.
"""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, Final

_LIBC: Final = ctypes.CDLL(None, use_errno=True)
_PAGE: Final = 4096
_HELD: list[Any] = []


def prepare() -> None:
    """In the template: a page that a worker could try to make executable."""
    _HELD.append(mmap.mmap(-1, _PAGE))


def _call(number: int, *arguments: int | bytes | None) -> Callable[[], object]:
    def do() -> int:
        ctypes.set_errno(0)
        result = _LIBC.syscall(number, *arguments)
        if result < 0:
            raise OSError(ctypes.get_errno(), "refused")
        return int(result)

    return do


def _address() -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(_HELD[0]))


def _protect() -> object:
    return _call(10, _address(), _PAGE, 7)()


def _thread() -> object:
    thread = threading.Thread(target=print)
    thread.start()
    return thread


def _overwrite() -> object:
    """Change what was sent: its descriptor is the one after our own."""
    return os.pwrite(4, b"x", 0)


REFUSED: Final[dict[str, Callable[[], object]]] = {
    "open to read": lambda: os.open("/etc/passwd", os.O_RDONLY),
    "open to write": lambda: os.open("/tmp/x", os.O_WRONLY | os.O_CREAT),
    "open by proc": lambda: os.open("/proc/self/mem", os.O_RDWR),
    "open a device": lambda: os.open("/dev/null", os.O_WRONLY),
    "open temporary": lambda: os.open("/tmp", os.O_TMPFILE | os.O_RDWR),
    "openat2": _call(437, -100, b"/etc/passwd", bytes(24), 24),
    "creat": _call(85, b"/tmp/x", 0o600),
    "stat": lambda: os.stat("/etc/passwd"),
    "access": lambda: _call(21, b"/etc/passwd", 4)(),
    "readlink": lambda: os.readlink("/proc/self/exe"),
    "listdir": lambda: os.listdir("/"),
    "mkdir": lambda: os.mkdir("/tmp/x"),
    "unlink": lambda: os.unlink("/tmp/x"),
    "rename": lambda: os.rename("/tmp/x", "/tmp/y"),
    "symlink": lambda: os.symlink("/etc/passwd", "/tmp/x"),
    "link": lambda: os.link("/etc/hostname", "/tmp/x"),
    "chmod": lambda: os.chmod("/tmp", 0o777),
    "chdir": lambda: os.chdir("/tmp"),
    "mknod": lambda: os.mkfifo("/tmp/x"),
    "statfs": lambda: os.statvfs("/"),
    "inotify": _call(294, 0),
    "socket tcp": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
    "socket udp": lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
    "socket unix": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
    "socket netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
    "socketpair": socket.socketpair,
    "connect": _call(42, 3, b"\x02\x00\x00\x19\x7f\x00\x00\x01" + bytes(8), 16),
    "bind": _call(49, 3, b"\x01\x00\x00hidden", 9),
    "listen": _call(50, 3, 1),
    "sendto": _call(44, 3, b"x", 1, 0, None, 0),
    "sendmsg": lambda: socket.socket(fileno=3).sendmsg([b"x"]),
    "shutdown": _call(48, 3, 2),
    "pipe": os.pipe,
    "memfd_create": lambda: os.memfd_create("x"),
    "memfd_secret": _call(447, 0),
    "eventfd": lambda: os.eventfd(0) if hasattr(os, "eventfd") else _call(290, 0, 0)(),
    "epoll_create": _call(291, 0),
    "timerfd_create": _call(283, 1, 0),
    "signalfd": _call(289, -1, bytes(8), 8, 0),
    "fanotify_init": _call(300, 0, 0),
    "dup": lambda: os.dup(3),
    "fcntl": lambda: fcntl.fcntl(3, fcntl.F_GETFL),
    "ioctl": lambda: fcntl.ioctl(3, 0x5401, bytes(64)),
    "flock": lambda: fcntl.flock(3, fcntl.LOCK_EX),
    "seek": lambda: os.lseek(5, 0, os.SEEK_SET),
    "truncate": lambda: os.ftruncate(5, 1 << 40),
    "write elsewhere in the answer": lambda: os.pwrite(5, b"x", 1 << 30),
    "write to what was sent": _overwrite,
    "sendfile": lambda: os.sendfile(5, 4, 0, 100),
    "splice": _call(275, 4, None, 5, None, 10, 0),
    "copy_file_range": _call(326, 4, None, 5, None, 10, 0),
    "write to standard output": lambda: os.write(1, b"x"),
    "write to standard error": lambda: os.write(2, b"x"),
    "write to standard input": lambda: os.write(0, b"x"),
    "start a thread": _thread,
    "clone3": _call(435, bytes(88), 88),
    "execute memory": lambda: mmap.mmap(-1, _PAGE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC),
    "make memory executable": _protect,
    "personality": _call(135, 0x0400000),
    "prctl": _call(157, 4, 1, 0, 0, 0),
    "arch_prctl": _call(158, 0x1002, 0),
    "modify_ldt": _call(154, 0, None, 0),
    "raise a limit": lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1)),
    "limits of another": lambda: resource.prlimit(1, resource.RLIMIT_CPU),
    "set limits of another": lambda: resource.prlimit(1, resource.RLIMIT_CPU, (1, 1)),
    "seccomp": _call(317, 0, 0, None),
    "landlock": _call(444, None, 0, 1),
    "tkill": _call(200, 1, signal.SIGKILL),
    "tgkill": _call(234, 1, 1, signal.SIGKILL),
    "rt_sigqueueinfo": _call(129, 1, signal.SIGKILL, bytes(128)),
    "pidfd_open": lambda: os.pidfd_open(1),
    "pidfd_send_signal": _call(424, 3, signal.SIGKILL, None, 0),
    "sleep": lambda: time.sleep(0.001),
    "nice": lambda: os.nice(-1),
    "setpriority": lambda: os.setpriority(os.PRIO_PROCESS, 0, -1),
    "sched_setaffinity": lambda: os.sched_setaffinity(0, {0}),
    "setgroups": lambda: os.setgroups([0]),
    "setsid": os.setsid,
    "capset": _call(126, bytes(8), bytes(24)),
    "sysinfo": _call(99, bytes(112)),
    "syslog": _call(103, 3, bytes(64), 64),
    "shmget": _call(29, 0, _PAGE, 0o1600),
    "semget": _call(64, 0, 1, 0o1600),
    "msgget": _call(68, 0, 0o1600),
    "mq_open": _call(240, b"x", 0o102, 0o600, None),
    "io_setup": _call(206, 1, bytes(8)),
    "mlock": _call(149, 0, _PAGE),
    "quotactl": _call(179, 0, None, 0, None),
    "reboot": _call(169, 0, 0, 0, None),
    "settimeofday": _call(164, bytes(16), None),
    "clock_settime": _call(227, 0, bytes(16)),
    "sethostname": _call(170, b"x", 1),
    "iopl": _call(172, 3),
    "swapon": _call(167, b"/x", 0),
    "timer_create": _call(222, 0, None, bytes(8)),
    "kcmp": _call(312, 1, 1, 0, 0, 0),
    "process_madvise": _call(440, 3, None, 0, 0, 0),
    "move_pages": _call(279, 1, 0, None, None, None, 0),
    "name_to_handle_at": _call(303, -100, b"/", bytes(128), bytes(8), 0),
    "fsopen": _call(430, b"tmpfs", 0),
    "open_tree": _call(428, -100, b"/", 0),
}
DEADLY: Final[dict[str, Callable[[], object]]] = {
    "fork": os.fork,
    "vfork": _call(58),
    "raw fork": _call(57),
    "execve": lambda: os.execv("/bin/true", ["true"]),
    "execveat": _call(322, 3, b"", None, None, 0x1000),
    "ptrace the template": _call(101, 16, 1, None, None),
    "ptrace me": _call(101, 0, 0, None, None),
    "read another's memory": _call(310, 1, bytes(16), 1, bytes(16), 1, 0),
    "write another's memory": _call(311, 1, bytes(16), 1, bytes(16), 1, 0),
    "take another's descriptor": _call(438, 3, 0, 0),
    "kill the template": lambda: os.kill(1, signal.SIGKILL),
    "kill all": lambda: os.kill(-1, signal.SIGKILL),
    "become root": lambda: os.setuid(0),
    "become root's group": lambda: os.setgid(0),
    "mount": _call(165, b"none", b"/", b"tmpfs", 0, None),
    "unmount": _call(166, b"/", 2),
    "chroot": lambda: os.chroot("/"),
    "unshare": _call(272, 0x10000000),
    "setns": _call(308, 3, 0),
    "bpf": _call(321, 0, bytes(64), 64),
    "io_uring_setup": _call(425, 1, bytes(120)),
    "perf_event_open": _call(298, bytes(112), 0, -1, -1, 0),
    "userfaultfd": _call(323, 0),
    "keyctl": _call(250, 0, -3, 0),
    "init_module": _call(175, bytes(8), 8, b""),
    "kexec_load": _call(246, 0, 0, None, 0),
    "open by handle": _call(304, -1, bytes(16), 0),
    "x32 call": _call(0x40000000 + 2, b"/etc/passwd", 0),
}
CALLS: Final = {name.replace(" ", "_"): call for name, call in (REFUSED | DEADLY).items()}
