"""Limits the memory of this process. Beyond the limit it gets a MemoryError, and the machine keeps its last memory."""

from __future__ import annotations

import ctypes
from contextlib import suppress
from typing import Any

_EXTENDED_LIMITS = 9
"""Windows' JobObjectExtendedLimitInformation."""
_PROCESS_MEMORY = 0x100
"""Windows' JOB_OBJECT_LIMIT_PROCESS_MEMORY."""


def limit_memory(size_bytes: int) -> bool:
    """Limits the memory of this process until it ends: its address space on POSIX, its committed memory on Windows.

    Returns False if the system has no such limit. macOS has none that works.
    """
    kernel = getattr(getattr(ctypes, "windll", None), "kernel32", None)
    return _limit_by_job(kernel, size_bytes) if kernel is not None else _limit_by_resource(size_bytes)


def _limit_by_resource(size_bytes: int) -> bool:
    with suppress(ImportError, ValueError, OSError):
        import resource

        posix: Any = resource  # its types are empty on Windows
        _, hard = posix.getrlimit(posix.RLIMIT_AS)
        most = size_bytes if hard == posix.RLIM_INFINITY else min(size_bytes, hard)
        posix.setrlimit(posix.RLIMIT_AS, (most, hard))
        return True
    return False


class _BasicLimits(ctypes.Structure):
    """Windows' JOBOBJECT_BASIC_LIMIT_INFORMATION."""

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
    """Windows' JOBOBJECT_EXTENDED_LIMIT_INFORMATION."""

    _fields_ = (
        ("BasicLimitInformation", _BasicLimits),
        ("IoInfo", ctypes.c_uint64 * 6),
        ("ProcessMemoryLimit", ctypes.c_size_t),
        ("JobMemoryLimit", ctypes.c_size_t),
        ("PeakProcessMemoryUsed", ctypes.c_size_t),
        ("PeakJobMemoryUsed", ctypes.c_size_t),
    )


def _limit_by_job(kernel: ctypes.CDLL, size_bytes: int) -> bool:
    """Puts this process into its own job object, which has the limit and exists as long as the process."""
    kernel.CreateJobObjectW.restype = kernel.GetCurrentProcess.restype = ctypes.c_void_p
    job = ctypes.c_void_p(kernel.CreateJobObjectW(None, None))  # the end of the process closes it
    limits = _ExtendedLimits(
        BasicLimitInformation=_BasicLimits(LimitFlags=_PROCESS_MEMORY), ProcessMemoryLimit=size_bytes
    )
    size = ctypes.sizeof(limits)
    return bool(
        job.value
        and kernel.SetInformationJobObject(job, _EXTENDED_LIMITS, ctypes.byref(limits), size)
        and kernel.AssignProcessToJobObject(job, ctypes.c_void_p(kernel.GetCurrentProcess()))
    )
