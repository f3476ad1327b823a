"""The requests that WeCom makes to us, in their envelope."""

from typing import Final

from channels.adapter import Call
from channels.wechat_envelope import Envelope, signature, write_xml

CORP_ID: Final = "ww5823bf96d3bd56c7"
OPEN_KFID: Final = "wkAJ2GCAAASSm4_FhToWMFea0xAFfd3Q"
CALLBACK_TOKEN: Final = "QDG6eK"
AES_KEY: Final = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C"


def envelope(*, receiver: str = CORP_ID, token: str = CALLBACK_TOKEN) -> Envelope:
    """Give the envelope in which the platform sends."""
    return Envelope(token=token, aes_key=AES_KEY, receiver=receiver)


def sealed(text: str, *, at: float, receiver: str = CORP_ID, token: str = CALLBACK_TOKEN) -> Call:
    """Make the request that brings a text in an envelope."""
    encrypted = envelope(receiver=receiver).encrypt(text, random=b"0123456789abcdef")
    return signed(encrypted, at=at, token=token)


def signed(encrypted: str, *, at: float, token: str = CALLBACK_TOKEN) -> Call:
    """Make a signed request around anything that calls itself an envelope."""
    timestamp, nonce = str(int(at)), "1372623149"
    query = {"msg_signature": signature(token, timestamp, nonce, encrypted), "timestamp": timestamp, "nonce": nonce}
    body = write_xml({"ToUserName": CORP_ID, "AgentID": "", "Encrypt": encrypted})
    return Call({"content-type": "text/xml"}, query, body.encode())
