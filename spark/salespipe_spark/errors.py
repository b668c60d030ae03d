"""The one error that a user is meant to read: what is wrong, where, and what to do next."""


class SalespipeError(Exception):
    """Something the user can mend. `hint` is the next step, a command where there is one."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\n  next: {hint}" if hint else message)
        self.message = message
        self.hint = hint
