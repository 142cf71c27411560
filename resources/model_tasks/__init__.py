"""What each task does with a model, and what it does where a model's answer cannot be used."""
