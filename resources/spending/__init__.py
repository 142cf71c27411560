"""Money that platforms charge: counted, reserved before a call, kept within each channel's budgets."""
