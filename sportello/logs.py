"""Structured logs, without texts of messages and without addresses of people."""

import logging
import sys

import structlog

from sportello.settings import Settings


def set_up(settings: Settings) -> None:
    """Log to standard error, as text or as JSON."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    # The libraries' own logs name addresses and tokens (httpx logs URLs): only what is grave passes.
    # Uncaught errors are logged by web.problems, by kind and place; a trace could quote what somebody wrote.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
