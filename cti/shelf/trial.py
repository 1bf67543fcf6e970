"""May we write, read and remove on the shelf? Asked by `cti doctor`."""

from __future__ import annotations

import secrets
import tempfile
import time
from pathlib import Path

from cti.errors import Broken
from cti.shelf.port import Shelf

BYTES = 4096


async def tried(shelf: Shelf) -> str:
    """Put a file of noise, read a stretch of it, remove it; the answer says how long it took. Raises NotNow,
    Refused, OSError; Broken when something else comes back."""
    noise, name = secrets.token_bytes(BYTES), f"doctor/{secrets.token_hex(8)}"
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hotline-doctor-") as folder:
        file = Path(folder) / "noise"
        file.write_bytes(noise)
        await shelf.put(name, file)
    try:
        again = await shelf.read(name, 100, 1000)
    finally:
        await shelf.remove(name)
    if again != noise[100:1100]:
        raise Broken(f"{shelf.where}: 读回内容不符 what comes back is not what was written")
    return f"{shelf.where}: written, read and removed in {(time.monotonic() - began) * 1000:.0f} ms"
