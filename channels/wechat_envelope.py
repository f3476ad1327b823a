"""The envelope in which WeChat and WeCom send messages: signed, sealed with AES, and XML inside.

Rules: mp.weixin.qq.com/wiki mp1434696670 and developer.work.weixin.qq.com/document/path/90968. The cipher is
wechatpy's; what is around it there compares signatures with `!=`, checks no padding and raises whatever comes, so
that part is ours. Pure: time, nonce and random bytes are arguments.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from xml.parsers.expat import ExpatError

import xmltodict
from wechatpy.crypto.cryptography import WeChatCipher

from channels.adapter import BadPayloadError

# In bytes; a message of the platform has a few thousand at most.
XML_MAX: Final = 64 * 1024
KEY_CHARACTERS: Final = 43
RANDOM_BYTES: Final = 16
_BLOCK: Final = 32
_LENGTH_BYTES: Final = 4
# What XML 1.0 has no place for (www.w3.org/TR/xml/#charsets), lone surrogates included.
_NO_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class EnvelopeError(BadPayloadError):
    """An envelope that cannot be opened, or XML that cannot be read; the message never holds what was sent."""


class WrongReceiverError(EnvelopeError):
    """An envelope that was sealed for another account."""


class BadKeyError(ValueError):
    """An EncodingAESKey that is none; the message does not hold it."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What was in an envelope, and which of our keys opened it: 0 is the one in force, 1 the old one."""

    text: str
    generation: int


def signature(*parts: str) -> str:
    """Give the hex SHA-1 of the parts, sorted and joined, with which the platform signs."""
    # SHA-1 is the platform's choice.
    return hashlib.sha1("".join(sorted(parts)).encode("utf-8", "replace")).hexdigest()  # noqa: S324


def is_signed(given: str, *parts: str) -> bool:
    """Tell in constant time whether a signature is that of the parts; the first is the secret token.

    An empty token signs nothing.
    """
    if not parts or not parts[0]:
        return False
    return hmac.compare_digest(given.encode("utf-8", "replace"), signature(*parts).encode())


class Envelope:
    """Seals and opens for one account: `receiver` is an app id, or the corp id at WeCom."""

    def __init__(self, *, token: str, aes_key: str, receiver: str, old_aes_key: str = "") -> None:
        """Read the keys. `old_aes_key` still opens for as long as it is given. Raises BadKeyError."""
        self._token = token
        self._receiver = receiver.encode()
        self._keys = [checked_key(aes_key)]
        if old_aes_key:
            self._keys.append(checked_key(old_aes_key))

    def is_signed(self, given: str, *, timestamp: str, nonce: str, encrypted: str) -> bool:
        """Tell in constant time whether `msg_signature` is that of an envelope."""
        return is_signed(given, self._token, timestamp, nonce, encrypted)

    def open(self, encrypted: str) -> Opened:
        """Open what was sealed for us with the key in force or the old one. Raises EnvelopeError."""
        try:
            ciphertext = base64.b64decode("".join(encrypted.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise EnvelopeError("the envelope is not base64") from error
        if not ciphertext or len(ciphertext) % _BLOCK:
            raise EnvelopeError("the envelope has not the length of an envelope")
        failure = EnvelopeError("no key")
        for generation, key in enumerate(self._keys):
            try:
                return Opened(self._unpacked(WeChatCipher(key).decrypt(ciphertext)), generation)
            except EnvelopeError as error:
                failure = error if generation == 0 or isinstance(error, WrongReceiverError) else failure
        raise failure

    def encrypt(self, text: str, *, random: bytes, generation: int = 0) -> str:
        """Give the base64 of a sealed text; `random` are 16 bytes.

        A generation that is no longer set gives way to the key in force.
        """
        if len(random) != RANDOM_BYTES:
            raise ValueError(f"{RANDOM_BYTES} random bytes are needed")
        key = self._keys[generation if generation < len(self._keys) else 0]
        content = text.encode("utf-8", "replace")
        plain = random + len(content).to_bytes(_LENGTH_BYTES, "big") + content + self._receiver
        fill = _BLOCK - len(plain) % _BLOCK
        sealed: bytes = WeChatCipher(key).encrypt(plain + bytes([fill]) * fill)
        return base64.b64encode(sealed).decode()

    def seal(self, text: str, *, timestamp: str, nonce: str, random: bytes, generation: int = 0) -> str:
        """Give the signed XML with which a request of the platform is answered."""
        encrypted = self.encrypt(text, random=random, generation=generation)
        signed = signature(self._token, timestamp, nonce, encrypted)
        return write_xml({"Encrypt": encrypted, "MsgSignature": signed, "TimeStamp": int(timestamp), "Nonce": nonce})

    def _unpacked(self, plain: bytes) -> str:
        """Take random bytes, padding and receiver away. Raises EnvelopeError."""
        fill = plain[-1]
        if not 1 <= fill <= _BLOCK or plain[-fill:] != bytes([fill]) * fill:
            raise EnvelopeError("the padding of the envelope is wrong")
        content = plain[RANDOM_BYTES:-fill]
        length = int.from_bytes(content[:_LENGTH_BYTES], "big")
        message = content[_LENGTH_BYTES : _LENGTH_BYTES + length]
        if len(content) < _LENGTH_BYTES or len(message) != length:
            raise EnvelopeError("the envelope is shorter than it says")
        if not hmac.compare_digest(content[_LENGTH_BYTES + length :], self._receiver):
            raise WrongReceiverError("the envelope is for another account")
        try:
            return message.decode()
        except UnicodeDecodeError as error:
            raise EnvelopeError("the envelope holds no UTF-8") from error


def read_xml(body: bytes | str) -> dict[str, str]:
    """Give the texts of the elements directly under `<xml>`, spaces kept; elements with elements in them are left out.

    Empty elements give an empty text, and of several with one name the first counts. Raises EnvelopeError.
    """
    if len(body) > XML_MAX:
        raise EnvelopeError("the XML is too large")
    try:
        text = body.decode("utf-8-sig") if isinstance(body, bytes) else body
        # Entities are refused (also the default): they are how a small text becomes a large one.
        parsed: Any = xmltodict.parse(text, disable_entities=True, strip_whitespace=False, xml_attribs=False)
    except (ExpatError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise EnvelopeError(f"no XML: {type(error).__name__}") from error
    elements = parsed.get("xml")
    if not isinstance(elements, dict):
        raise EnvelopeError("no element <xml> with elements in it")
    found = {name: _first_text(value) for name, value in elements.items() if not name.startswith("#")}
    return {name: value for name, value in found.items() if value is not None}


def _first_text(value: Any) -> str | None:
    first = value[0] if isinstance(value, list) else value
    if first is None:
        return ""
    return first if isinstance(first, str) else None


def write_xml(fields: Mapping[str, str | int]) -> str:
    """Write `<xml>` with one element a field: numbers as they are, texts as CDATA that nothing in them can end."""
    return "<xml>" + "".join(f"<{name}>{_written(value)}</{name}>" for name, value in fields.items()) + "</xml>"


def _written(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    return "<![CDATA[" + _NO_XML.sub("", value).replace("]]>", "]]]]><![CDATA[>") + "]]>"


def checked_key(encoding_aes_key: str) -> bytes:
    """Give the bytes of an EncodingAESKey, as the platform shows it. Raises BadKeyError."""
    if len(encoding_aes_key) != KEY_CHARACTERS:
        raise BadKeyError(f"the AES key has not {KEY_CHARACTERS} characters")
    try:
        return base64.b64decode(encoding_aes_key + "=", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadKeyError("the AES key is not made of letters and digits") from error
