"""What FastAPI makes of the parameters of routes, remembered in a process from one application to the next.

The program makes one application and never notices. Almost every test of the desk makes one too, of the same routes,
and in half of the time that takes pydantic made validators that had been made before.
"""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from fastapi._compat import v2
from fastapi.dependencies import utils as dependencies
from pydantic import BaseModel, TypeAdapter

Analyze = Callable[..., dependencies.ParamDetails]
_DETAILS: dict[tuple[Any, ...], dependencies.ParamDetails] = {}
_ADAPTERS: dict[tuple[Any, ...], TypeAdapter[Any]] = {}
_BODIES: dict[tuple[Any, ...], type[BaseModel]] = {}


class RememberedField(v2.ModelField):
    """A field whose validator is that of an equal field before it."""

    def __post_init__(self) -> None:
        name = (*_name_of(self), self.mode, repr(self.config))
        if name not in _ADAPTERS:
            super().__post_init__()
            _ADAPTERS[name] = self._type_adapter
        self._type_adapter = _ADAPTERS[name]


def analyze_param(
    *,
    param_name: str,
    annotation: Any,
    value: Any,
    path_param_names: set[str],
    made: Analyze = dependencies.analyze_param,
) -> dependencies.ParamDetails:
    """Stand in for FastAPI's function; what a route takes from another function belongs to its application."""
    name = (param_name, repr(annotation), repr(value), param_name in path_param_names)
    if name not in _DETAILS:
        found = made(param_name=param_name, annotation=annotation, value=value, path_param_names=path_param_names)
        if found.depends is not None:
            return found
        _DETAILS[name] = found
    return _DETAILS[name]


def body_model(*, fields: Sequence[v2.ModelField], model_name: str, config: Any = None) -> type[BaseModel]:
    """Stand in for FastAPI's function; a body is described by this model, and not validated."""
    if config is not None:
        return v2.create_body_model(fields=fields, model_name=model_name, config=config)
    name = (model_name, *[(field.name, *_name_of(field)) for field in fields])
    if name not in _BODIES:
        _BODIES[name] = v2.create_body_model(fields=fields, model_name=model_name)
    return _BODIES[name]


def _name_of(field: v2.ModelField) -> tuple[Any, ...]:
    # All that FastAPI itself makes the validator of. Of a class that tells only the name: the class stands beside it.
    return type(field.field_info), field.field_info.annotation, repr(v2.asdict(field.field_info))


def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let FastAPI take from here what it has made before."""
    monkeypatch.setattr(v2, "ModelField", RememberedField)
    monkeypatch.setattr(dependencies, "create_body_model", body_model)
    monkeypatch.setattr(dependencies, "analyze_param", analyze_param)
