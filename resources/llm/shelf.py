"""Which embedding models there are, by name, and their embedders, each loaded at most once per process."""

import threading
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import NamedTuple

from rejoinder.errors import ConfigInvalid
from rejoinder.llm.ports import CountingEmbedder, Embedder
from resources.llm.encoder import Encoder
from resources.llm.minilm import MINILM, WEIGHTS
from resources.llm.multilingual_e5 import MODEL_FILE, MULTILINGUAL_E5
from resources.llm.onnx_embedder import OnnxEmbedder
from resources.llm.pinned_files import PinnedFile, missing_package


class KnownModel(NamedTuple):
    """A model that rejoinder.toml may name.

    file is the one that decides whether the model is installed.
    """

    name: str
    languages: str
    encoder: Encoder
    file: PinnedFile

    @property
    def is_installed(self) -> bool:
        """Whether the package with its weights is there."""
        return find_spec(self.file.package) is not None


MODELS = (
    KnownModel("all-MiniLM-L6-v2", "English", MINILM, WEIGHTS),
    KnownModel("multilingual-e5-small", "about 100", MULTILINGUAL_E5, MODEL_FILE),
)
DEFAULT_MODEL = MODELS[0].name

Maker = Callable[[], CountingEmbedder]


class Shelf:
    """Embedders by the URI of their model.

    Args:
        wrap: put around every embedder that is made, to record and remember its calls.
        makers: further models by URI, beside those of `MODELS`.
        uris: their URIs by the names that rejoinder.toml may call them.
    """

    def __init__(
        self,
        wrap: Callable[[CountingEmbedder], Embedder] = lambda made: made,
        makers: Mapping[str, Maker] | None = None,
        uris: Mapping[str, str] | None = None,
    ) -> None:
        self._wrap = wrap
        self._uris = {m.name: m.encoder.uri for m in MODELS} | dict(uris or {})
        self._makers: dict[str, Maker] = {m.encoder.uri: _maker(m) for m in MODELS} | dict(makers or {})
        self._made: dict[str, Embedder] = {}
        self._lock = threading.Lock()

    def of(self, uri: str) -> Embedder:
        """The embedder of the model with this URI.

        Raises:
            ConfigInvalid: no such model is known, or its package is not installed.
        """
        with self._lock:
            if uri not in self._made:
                if uri not in self._makers:
                    raise ConfigInvalid(f"no embedder is known for the model {uri}")
                self._made[uri] = self._wrap(self._makers[uri]())
            return self._made[uri]

    def named(self, name: str) -> Embedder:
        """The embedder of the model that rejoinder.toml calls by this name.

        Raises:
            ConfigInvalid: there is no such model, or its package is not installed.
        """
        return self.of(self.uri_of(name))

    def uri_of(self, name: str) -> str:
        """The URI of a model by its name; a URI stands for itself.

        Raises:
            ConfigInvalid: there is no such model.
        """
        uri = self._uris.get(name, name)
        if uri not in self._makers:
            known = ", ".join(self._uris)
            raise ConfigInvalid(f"embedding.model: there is no model {name!r}; there are: {known}")
        return uri


def _maker(model: KnownModel) -> Maker:
    def make() -> CountingEmbedder:
        if not model.is_installed:
            raise missing_package(model.file)
        return OnnxEmbedder(model.encoder)

    return make
