"""What every shape of the API has in common; what a field means is said once, where the domain defines it."""

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """What is given: read from values of ours, nothing more."""

    model_config = ConfigDict(from_attributes=True)


class Asked(BaseModel):
    """What is taken: a field that is not known is a mistake, not a wish."""

    model_config = ConfigDict(extra="forbid")
