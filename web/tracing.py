"""Telling where an error arose without telling what it was about: its text may quote a resident."""


def place(error: BaseException) -> str:
    """Give file and line of the innermost frame."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"
