"""The menu of an Official Account, within what the platform takes. Pure.

https://developers.weixin.qq.com/doc/service/en/api/custommenu/api_createcustommenu.html: one to three buttons, each
with up to five below it. The limits of names are told in several ways; the narrowest are kept to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from channels.rendering import measure, shortened_to

BUTTONS_MAX: Final = 3
BELOW_MAX: Final = 5
# In bytes of UTF-8.
NAME_MAX: Final = 16
NAME_BELOW_MAX: Final = 40
KEY_MAX: Final = 128
_BETWEEN: Final = "/"


@dataclass(frozen=True, slots=True)
class Button:
    """A button: its name in each of the account's languages, with a key or with buttons below it.

    A tap brings the key back as the event CLICK, which `channels.wechat_messages` reads as a pick.
    """

    names: tuple[str, ...]
    key: str = ""
    below: "tuple[Button, ...]" = ()


class MenuError(ValueError):
    """A menu that the platform would not take; the message says what is wrong with it."""


def menu_of(buttons: Sequence[Button]) -> dict[str, Any]:
    """Give the menu as the platform takes it. Raises MenuError where it is too large."""
    if not 1 <= len(buttons) <= BUTTONS_MAX:
        raise MenuError(f"a menu has one to {BUTTONS_MAX} buttons")
    return {"button": [_button(button) for button in buttons]}


def _button(button: Button) -> dict[str, Any]:
    if not button.below:
        return _tapped(button, NAME_MAX)
    if len(button.below) > BELOW_MAX:
        raise MenuError(f"{button.names[0]}: at most {BELOW_MAX} buttons stand below one")
    return {"name": name_of(button, NAME_MAX), "sub_button": [_tapped(each, NAME_BELOW_MAX) for each in button.below]}


def _tapped(button: Button, longest: int) -> dict[str, Any]:
    if not 1 <= measure(button.key, "bytes") <= KEY_MAX:
        raise MenuError(f"{button.names[0]}: a key has 1 to {KEY_MAX} bytes")
    return {"type": "click", "name": name_of(button, longest), "key": button.key}


def name_of(button: Button, longest: int) -> str:
    """Give a name in the first language, and in the others beside it as far as there is room, in bytes."""
    first, *others = button.names
    name = shortened_to(first, longest, "bytes")
    for other in others:
        both = f"{name}{_BETWEEN}{other}"
        if other not in name.split(_BETWEEN) and measure(both, "bytes") <= longest:
            name = both
    return name
