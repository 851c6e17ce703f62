"""torch and talweg.torch, where there are any."""
from __future__ import annotations

import os
import pathlib
import sys
from typing import Any, Optional

#: The package talweg and libtalweg, where the kit has them.
PACKAGE = pathlib.Path(__file__).resolve().parent / "python"


def torch() -> Any:
    import torch as module
    return module


def talweg_torch() -> Any:
    if PACKAGE.exists() and str(PACKAGE) not in sys.path:
        sys.path.insert(0, str(PACKAGE))
        os.environ.setdefault("TALWEG_LIBRARY", str(PACKAGE / "libtalweg.so"))
        os.environ.setdefault("TALWEG_STDLIB", str(PACKAGE / "stdlib"))
    import talweg.torch as module
    return module


def why_no_cuda() -> Optional[str]:
    """Why nothing of torch runs on a GPU; None: it does."""
    try:
        return None if torch().cuda.is_available() else f"torch {torch().__version__} has no CUDA here"
    except (ImportError, OSError) as error:
        return f"{type(error).__name__}: {error}"


def why_no_talweg() -> Optional[str]:
    """The same of talweg.torch."""
    if why := why_no_cuda():
        return why
    try:
        talweg_torch()
    except (ImportError, OSError) as error:
        return f"{type(error).__name__}: {error}"
    return None


def versions() -> str:
    return f"torch {torch().__version__}, CUDA {torch().version.cuda}"
