"""What a process has loaded: each model once, in the process that uses it, let go before the interpreter ends.

What belongs here: the register of a provider's models. What a model is, the provider knows.
"""

import atexit
import ctypes
import os
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Model = TypeVar("Model")


class Loaded(Generic[Key, Model]):
    """The models of one provider in this process, by what tells them apart.

    Args:
        make: makes the model of a key, without reading its weights yet.
    """

    def __init__(self, make: Callable[[Key], Model]) -> None:
        self._make, self._lock = make, Lock()
        self.models: dict[Key, Model] = {}
        atexit.register(self._forget)
        os.register_at_fork(after_in_child=self._start_anew)

    def model(self, key: Key) -> Model:
        """The one model of this key, made at the first call."""
        with self._lock:
            if key not in self.models:
                self.models[key] = self._make(key)
            return self.models[key]

    def _forget(self) -> None:
        """Let go of all models, while the interpreter is still whole."""
        self.models.clear()

    def _start_anew(self) -> None:
        """In a forked child: the threads of its parent are not here, so theirs may be neither used nor ended."""
        # A model's end may wait for its threads: one more reference, and it never ends in this process.
        for model in self.models.values():
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(model))
        self._lock, self.models = Lock(), {}
