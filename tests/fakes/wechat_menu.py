"""What WeChat's fake refuses in an account's menu: counts, types, and names and keys by their bytes."""

from typing import Any


def wrong_menu(asked: dict[str, Any]) -> int | None:
    """Give the platform's code for what is wrong with a menu, or None."""
    buttons = asked.get("button", [])
    if not 1 <= len(buttons) <= 3:
        return 40016
    for button in buttons:
        below = button.get("sub_button", [])
        if not _fits(button.get("name"), 16):
            return 40018
        if not below and (wrong := _wrong_tap(button, kind=40017, key=40019)) is not None:
            return wrong
        if len(below) > 5:
            return 40023
        for each in below:
            if not _fits(each.get("name"), 40):
                return 40025
            if (wrong := _wrong_tap(each, kind=40024, key=40026)) is not None:
                return wrong
    return None


def _wrong_tap(button: dict[str, Any], *, kind: int, key: int) -> int | None:
    if button.get("type") != "click" or "sub_button" in button:
        return kind
    return None if _fits(button.get("key"), 128) else key


def _fits(value: Any, longest: int) -> bool:
    return isinstance(value, str) and 1 <= len(value.encode()) <= longest
