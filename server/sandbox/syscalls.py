"""Numbers of system calls, for x86_64 and aarch64: those a worker may make, and those that nothing honest makes."""

from __future__ import annotations

from typing import Final, NamedTuple


class Machine(NamedTuple):
    """What the seccomp filter of one machine is made of."""

    audit: int  # AUDIT_ARCH_* of <linux/audit.h>
    numbers: dict[str, int]


_X86_64: Final = {
    "read": 0, "write": 1, "close": 3, "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12, "rt_sigaction": 13,
    "rt_sigprocmask": 14, "rt_sigreturn": 15, "writev": 20, "sched_yield": 24, "mremap": 25, "madvise": 28,
    "getitimer": 36, "setitimer": 38, "getpid": 39, "recvmsg": 47, "clone": 56, "fork": 57, "vfork": 58, "execve": 59,
    "exit": 60, "kill": 62, "uname": 63, "getcwd": 79, "gettimeofday": 96, "getrusage": 98, "times": 100, "ptrace": 101,
    "getuid": 102, "getgid": 104, "setuid": 105, "setgid": 106, "geteuid": 107, "getegid": 108, "setreuid": 113,
    "setregid": 114, "setresuid": 117, "setresgid": 119, "sigaltstack": 131, "pivot_root": 155, "chroot": 161,
    "mount": 165, "umount2": 166, "init_module": 175, "gettid": 186, "futex": 202, "sched_getaffinity": 204,
    "restart_syscall": 219, "clock_gettime": 228, "clock_getres": 229, "exit_group": 231, "kexec_load": 246,
    "add_key": 248, "request_key": 249, "keyctl": 250, "unshare": 272, "set_robust_list": 273, "perf_event_open": 298,
    "prlimit64": 302, "open_by_handle_at": 304, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311,
    "finit_module": 313, "getrandom": 318, "kexec_file_load": 320, "bpf": 321, "execveat": 322, "userfaultfd": 323,
    "membarrier": 324, "rseq": 334, "io_uring_setup": 425, "clone3": 435, "pidfd_getfd": 438,
}  # fmt: skip
_AARCH64: Final = {
    "getcwd": 17,
    "umount2": 39, "mount": 40, "pivot_root": 41, "chroot": 51, "close": 57, "read": 63, "write": 64, "writev": 66,
    "exit": 93, "exit_group": 94, "unshare": 97, "futex": 98, "set_robust_list": 99, "getitimer": 102,
    "setitimer": 103, "kexec_load": 104, "init_module": 105, "clock_gettime": 113, "clock_getres": 114, "ptrace": 117,
    "sched_getaffinity": 123, "sched_yield": 124, "restart_syscall": 128, "kill": 129, "sigaltstack": 132,
    "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "setregid": 143, "setgid": 144, "setreuid": 145,
    "setuid": 146, "setresuid": 147, "setresgid": 149, "times": 153, "uname": 160, "getrusage": 165,
    "gettimeofday": 169, "getpid": 172, "getuid": 174, "geteuid": 175, "getgid": 176, "getegid": 177, "gettid": 178,
    "recvmsg": 212, "brk": 214, "munmap": 215, "mremap": 216, "add_key": 217, "request_key": 218, "keyctl": 219,
    "clone": 220, "execve": 221, "mmap": 222, "mprotect": 226, "madvise": 233, "perf_event_open": 241,
    "prlimit64": 261, "open_by_handle_at": 265, "setns": 268, "process_vm_readv": 270, "process_vm_writev": 271,
    "finit_module": 273, "getrandom": 278, "bpf": 280, "execveat": 281, "userfaultfd": 282, "membarrier": 283,
    "rseq": 293, "kexec_file_load": 294, "io_uring_setup": 425, "clone3": 435, "pidfd_getfd": 438,
}  # fmt: skip

MACHINES: Final[dict[str, Machine]] = {
    "x86_64": Machine(0xC000003E, _X86_64),
    "aarch64": Machine(0xC00000B7, _AARCH64),
}

# Without conditions, the most frequent first. All work on what the worker holds already.
ALLOWED: Final = (
    "read", "write", "recvmsg", "close", "munmap", "brk", "madvise", "mremap", "futex", "clock_gettime", "writev",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "setitimer", "getitimer", "getrandom", "exit",
    "exit_group", "restart_syscall", "sched_yield", "sched_getaffinity", "clock_getres", "gettimeofday", "times",
    "getrusage", "getpid", "gettid", "getuid", "geteuid", "getgid", "getegid", "uname", "membarrier", "rseq",
    "set_robust_list",
    "getcwd",  # py7zr asks; it is always "/"
)  # fmt: skip
# No library makes these while it opens a file: whoever does has taken the worker over, which ends it at once.
DEADLY: Final = (
    "fork", "vfork", "execve", "execveat", "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kill",
    "mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "bpf", "perf_event_open", "userfaultfd",
    "io_uring_setup", "init_module", "finit_module", "kexec_load", "kexec_file_load", "add_key", "request_key",
    "keyctl", "open_by_handle_at", "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid",
)  # fmt: skip
