"""A process stopped between two of its own steps (ptrace(2)), at a moment that no clock can hit."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import struct
from collections.abc import Callable
from pathlib import Path

_SEIZE, _INTERRUPT, _SYSCALL, _SYSCALL_INFO = 0x4206, 0x4207, 24, 0x420E
_SYSGOOD = 1
_EVERYBODY = 0x40000000
"""waitpid(2): also who is nobody's child (__WALL)."""
_ENTRY, _EXIT = 1, 2
_RECEIVES = {"x86_64": (0, 45), "aarch64": (63, 207)}
"""Numbers of read(2) and recvfrom(2)."""
_ESTABLISHED = "01"

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
_libc.ptrace.restype = ctypes.c_long


def killed_once_it_has_read(pid: int, port: int, seized: Callable[[], object]) -> int:
    """kill -9 as soon as this process has received something at this TCP port of its own, and before it has
    done anything about it. Returns how many bytes it had. Blocks.

    ``seized`` is called when it cannot miss the moment any more. Only the main thread is looked at: the one
    that serves.
    """
    _ptrace(_SEIZE, pid, 0, _SYSGOOD)
    _ptrace(_INTERRUPT, pid, 0, 0)
    seized()
    descriptor = -1
    while True:
        status = _next(pid)
        if os.WSTOPSIG(status) != signal.SIGTRAP | 0x80:
            # a signal of its own is handed on, a stop of ours (in the upper bits) is none
            _ptrace(_SYSCALL, pid, 0, 0 if status >> 16 else os.WSTOPSIG(status))
            continue
        step, number, first = _step(pid)
        if step == _ENTRY:
            descriptor = first if number in _RECEIVES[platform.machine()] else -1
        elif step == _EXIT and descriptor >= 0 and number > 0 and _is_at(pid, descriptor, port):
            os.kill(pid, signal.SIGKILL)
            # its parent hears of it when we have
            while not os.WIFSIGNALED(os.waitpid(pid, _EVERYBODY)[1]):
                pass
            return number
        _ptrace(_SYSCALL, pid, 0, 0)


def _next(pid: int) -> int:
    status = os.waitpid(pid, _EVERYBODY)[1]
    if not os.WIFSTOPPED(status):
        raise ProcessLookupError(f"{pid} ended by itself")
    return status


def _step(pid: int) -> tuple[int, int, int]:
    """Entry or exit; the number of the call, or what it returned; its first argument."""
    told = ctypes.create_string_buffer(88)
    _ptrace(_SYSCALL_INFO, pid, len(told), ctypes.addressof(told))
    number, first = struct.unpack_from("=qQ", told, 24)
    return told.raw[0], number, first


def _is_at(pid: int, descriptor: int, port: int) -> bool:
    """Whether it is a connection that came to this port."""
    try:
        named = os.readlink(f"/proc/{pid}/fd/{descriptor}")
    except OSError:
        return False
    rows = [line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]]
    came = {f"socket:[{row[9]}]" for row in rows if row[3] == _ESTABLISHED and _port(row[1]) == port}
    return named in came


def _port(address: str) -> int:
    return int(address.rpartition(":")[2], 16)


def _ptrace(request: int, pid: int, address: int, data: int) -> None:
    if _libc.ptrace(request, pid, address, data) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"ptrace {request:#x}: {os.strerror(number)}")
