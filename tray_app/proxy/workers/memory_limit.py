"""A limit on the memory of this process: what asks for more gets a MemoryError instead of the machine's last memory."""

from __future__ import annotations

import ctypes
from contextlib import suppress

_EXTENDED_LIMITS = 9
"""JobObjectExtendedLimitInformation."""
_PROCESS_MEMORY = 0x100
"""JOB_OBJECT_LIMIT_PROCESS_MEMORY."""


def limit_memory(size_bytes: int) -> bool:
    """Limits the memory of this process for good: its address space on POSIX, what it commits on Windows.

    Returns False if the system has no such limit, as macOS has none that counts.
    """
    kernel = getattr(getattr(ctypes, "windll", None), "kernel32", None)
    return _limit_by_job(kernel, size_bytes) if kernel is not None else _limit_by_resource(size_bytes)


def _limit_by_resource(size_bytes: int) -> bool:
    with suppress(ImportError, ValueError, OSError):
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = size_bytes if hard == resource.RLIM_INFINITY else min(size_bytes, hard)
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
        return True
    return False


class _BasicLimits(ctypes.Structure):
    """JOBOBJECT_BASIC_LIMIT_INFORMATION."""

    _fields_ = (
        ("PerProcessUserTimeLimit", ctypes.c_int64),
        ("PerJobUserTimeLimit", ctypes.c_int64),
        ("LimitFlags", ctypes.c_uint32),
        ("MinimumWorkingSetSize", ctypes.c_size_t),
        ("MaximumWorkingSetSize", ctypes.c_size_t),
        ("ActiveProcessLimit", ctypes.c_uint32),
        ("Affinity", ctypes.c_size_t),
        ("PriorityClass", ctypes.c_uint32),
        ("SchedulingClass", ctypes.c_uint32),
    )


class _ExtendedLimits(ctypes.Structure):
    """JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

    _fields_ = (
        ("BasicLimitInformation", _BasicLimits),
        ("IoInfo", ctypes.c_uint64 * 6),
        ("ProcessMemoryLimit", ctypes.c_size_t),
        ("JobMemoryLimit", ctypes.c_size_t),
        ("PeakProcessMemoryUsed", ctypes.c_size_t),
        ("PeakJobMemoryUsed", ctypes.c_size_t),
    )


def _limit_by_job(kernel: ctypes.CDLL, size_bytes: int) -> bool:
    """Puts this process into a job object of its own, which has the limit and lives as long as the process."""
    kernel.CreateJobObjectW.restype = kernel.GetCurrentProcess.restype = ctypes.c_void_p
    job = ctypes.c_void_p(kernel.CreateJobObjectW(None, None))  # closed by the end of the process
    limits = _ExtendedLimits(
        BasicLimitInformation=_BasicLimits(LimitFlags=_PROCESS_MEMORY), ProcessMemoryLimit=size_bytes
    )
    size = ctypes.sizeof(limits)
    return bool(
        job.value
        and kernel.SetInformationJobObject(job, _EXTENDED_LIMITS, ctypes.byref(limits), size)
        and kernel.AssignProcessToJobObject(job, ctypes.c_void_p(kernel.GetCurrentProcess()))
    )
