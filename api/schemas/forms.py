"""What every shape of the API has in common; what a field means is said once, where the domain defines it."""

from pydantic import AfterValidator, BaseModel, ConfigDict


def storable(text: str) -> str:
    """The text, if PostgreSQL can hold it: no U+0000, and no half of a surrogate pair, which UTF-8 cannot say.

    Raises:
        ValueError: it has one.

    >>> storable("compost")
    'compost'
    """
    if any(c == "\0" or "\ud800" <= c <= "\udfff" for c in text):
        raise ValueError("text cannot hold U+0000 or half of a surrogate pair")
    return text


# Behind the constraints of every string that is taken, but for those whose pattern leaves such characters out.
STORABLE = AfterValidator(storable)


class Shape(BaseModel):
    """What is given: read from values of ours, nothing more."""

    model_config = ConfigDict(from_attributes=True)


class Asked(BaseModel):
    """What is taken: a field that is not known is a mistake, not a wish."""

    model_config = ConfigDict(extra="forbid")
