"""Functions of libtalweg that read lists of tensors, for releases of torch that describe tensors to C
(DLPack's exchange interface): one call where Python would need a pass for each question."""
from __future__ import annotations

import ctypes
import functools
from typing import Any, Callable, NamedTuple, Optional

import torch

from .. import _native


class Python(ctypes.Structure):
    """talweg_embed_python of compiler/embed/tensors.h."""

    _fields_ = [("get_attribute", ctypes.c_void_p), ("get_item", ctypes.c_void_p), ("set_item", ctypes.c_void_p),
                ("describe", ctypes.c_void_p), ("none", ctypes.c_void_p)]


class Parameters(ctypes.Structure):
    """talweg_embed_parameters."""

    _fields_ = [("count", ctypes.c_uint64), ("ranks", ctypes.POINTER(ctypes.c_uint32)),
                ("sizes", ctypes.POINTER(ctypes.c_int64)), ("bits", ctypes.c_uint32),
                ("device", ctypes.c_int32), ("device_id", ctypes.c_int32)]


class _Exchange(ctypes.Structure):
    """DLPackExchangeAPI of DLPack 1."""

    _fields_ = [("major", ctypes.c_uint32), ("minor", ctypes.c_uint32), ("previous", ctypes.c_void_p),
                ("allocate", ctypes.c_void_p), ("from_object", ctypes.c_void_p), ("to_object", ctypes.c_void_p),
                ("describe", ctypes.c_void_p), ("stream", ctypes.c_void_p)]


class Calls(NamedTuple):
    python: Python
    read_gradients: Callable[..., int]
    are_at: Callable[..., int]


def _description() -> Optional[int]:
    """The function with which torch describes a tensor, where it has one."""
    capsule = getattr(torch.Tensor, "__dlpack_c_exchange_api__", None)
    if capsule is None:
        return None
    pointer: Any = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(
        ("PyCapsule_GetPointer", ctypes.pythonapi))
    exchange = _Exchange.from_address(pointer(capsule, b"dlpack_exchange_api"))
    return exchange.describe if exchange.major == 1 else None


@functools.lru_cache(maxsize=None)
def calls() -> Optional[Calls]:
    """None where torch is too old, or where there is no libtalweg, which built rules do not need."""
    describe = _description()
    if describe is None:
        return None
    try:
        library = _native.library()
    except ImportError:
        return None
    of_python = (ctypes.cast(getattr(ctypes.pythonapi, name), ctypes.c_void_p)
                 for name in ("PyObject_GetAttr", "PyList_GetItem", "PyList_SetItem"))
    pointer, objects = ctypes.c_void_p, ctypes.py_object  # PYFUNCTYPE: Python's lock stays held
    read = ctypes.PYFUNCTYPE(ctypes.c_int, pointer, pointer, objects, objects, objects, pointer, pointer)
    are_at = ctypes.PYFUNCTYPE(ctypes.c_int, pointer, pointer, pointer, ctypes.c_uint64, objects)
    return Calls(Python(*of_python, describe, id(None)), read(("talweg_read_gradients", library)),
                 are_at(("talweg_are_at", library)))
