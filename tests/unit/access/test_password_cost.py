"""What guessing a password costs: other tests hash with less."""

from argon2 import extract_parameters, profiles

from resources.commands import people


def test_a_hash_takes_what_the_rfc_recommends() -> None:
    made = extract_parameters(people._hasher().hash("correct horse battery"))  # pragma: allowlist secret
    assert made == profiles.RFC_9106_LOW_MEMORY
