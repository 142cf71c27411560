"""Notices: what people are told, how grave it is, when it is over, and the words and bytes that carry it to them."""
