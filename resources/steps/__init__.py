"""The steps that posts and sources walk through: each loads, calls the domain, saves and moves the item on."""
