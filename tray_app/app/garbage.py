"""When Python looks for objects that only refer to each other, and which of them it looks at.

Such a look at all objects takes 20 ms, and holds up every answer that runs. Most objects are those of the imported
modules: they live as long as the program.
"""

from __future__ import annotations

import gc


def hold_off() -> None:
    """Has Python not look for such objects while the program starts, since hardly any object is given up then."""
    gc.disable()


def settle() -> None:
    """Has Python look at new objects only, from now on. Those that exist are taken for permanent."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.enable()
