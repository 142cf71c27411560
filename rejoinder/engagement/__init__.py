"""What happened to a reply: snapshot windows and rewards."""
